// How a class looks: a colour, and beside it a dash and a shape for those who cannot tell colours.

const DASHES = [[], [7, 3], [2, 3]];
const SHAPES = ["square", "circle", "triangle"];
const LEFT_OUT = "#5d5d5d";
const HALO = "rgba(255, 255, 255, 0.75)";
const SMALL_PX = 7;
const GLYPH_FROM_PX = 22;
const DOT_UP_TO_PX = 5;
const MANY = 800;

const styleOf = (label) => ({
  dash: DASHES[(label - 1) % DASHES.length],
  shape: SHAPES[(label - 1) % SHAPES.length],
});

function glyph(path, shape, x, y, side) {
  if (shape === "circle") {
    path.moveTo(x + side, y + side / 2);
    path.arc(x + side / 2, y + side / 2, side / 2, 0, 2 * Math.PI);
  } else if (shape === "triangle") {
    path.moveTo(x + side / 2, y);
    path.lineTo(x + side, y + side);
    path.lineTo(x, y + side);
    path.closePath();
  } else path.rect(x, y, side, side);
}

// Draws boxes given on the screen: items are {box: [x, y, w, h], label, counted, byHand}.
export function drawBoxes(pen, items, classes) {
  const groups = new Map();
  for (const item of items) {
    const key = item.counted ? item.label : 0;
    if (!groups.has(key)) groups.set(key, { outline: new Path2D(), glyphs: new Path2D(), small: 0, n: 0 });
    addBox(groups.get(key), item);
  }
  for (const [label, group] of groups) {
    pen.save();
    // Thousands of boxes at once are drawn plainly, so that panning stays smooth.
    const small = group.small > group.n / 2 || items.length > MANY;
    pen.lineWidth = small ? 2 : 4;
    pen.strokeStyle = HALO;
    if (!small) pen.stroke(group.outline);
    pen.lineWidth = small ? 1 : 2;
    pen.strokeStyle = label ? classes[label - 1].colour : LEFT_OUT;
    pen.fillStyle = pen.strokeStyle;
    pen.setLineDash(small ? [] : label ? styleOf(label).dash : [3, 3]);
    pen.stroke(group.outline);
    pen.fill(group.glyphs);
    pen.restore();
  }
}

function addBox(group, { box: [x, y, w, h], label, counted, byHand }) {
  group.n += 1;
  if (w < DOT_UP_TO_PX) {
    group.small += 1;
    group.glyphs.rect(x + w / 4, y + h / 4, w / 2, h / 2);
    return;
  }
  group.outline.rect(x, y, w, h);
  if (w < SMALL_PX) group.small += 1;
  if (!counted && w >= SMALL_PX) {
    group.outline.moveTo(x, y);
    group.outline.lineTo(x + w, y + h);
    group.outline.moveTo(x + w, y);
    group.outline.lineTo(x, y + h);
  }
  if (w < GLYPH_FROM_PX) return;
  glyph(group.glyphs, styleOf(label).shape, x + 3, y + 3, 8);
  if (byHand) {
    group.glyphs.rect(x + w - 11, y + 6, 8, 2);
    group.glyphs.rect(x + w - 8, y + 3, 2, 8);
  }
}

const SVG = "http://www.w3.org/2000/svg";

// The same look as a small picture for legends and buttons.
export function legendMark(label, colour) {
  const { dash, shape } = styleOf(label);
  const picture = document.createElementNS(SVG, "svg");
  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    return element;
  };
  set(picture, { viewBox: "0 0 22 22", width: 22, height: 22, class: "mark", "aria-hidden": true });
  const frame = document.createElementNS(SVG, "rect");
  set(frame, { x: 2, y: 2, width: 18, height: 18, fill: "none", stroke: colour });
  set(frame, { "stroke-width": 2, "stroke-dasharray": dash.join(" ") });
  const inner = document.createElementNS(SVG, shape === "square" ? "rect" : shape === "circle" ? "circle" : "path");
  if (shape === "square") set(inner, { x: 7, y: 7, width: 8, height: 8 });
  else if (shape === "circle") set(inner, { cx: 11, cy: 11, r: 4 });
  else set(inner, { d: "M11 6.5 15.5 15 6.5 15Z" });
  set(inner, { fill: colour });
  picture.append(frame, inner);
  return picture;
}
