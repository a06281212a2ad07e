// How a class looks: a color, and beside it a dash and a shape for those who cannot tell colors.

const DASHES = [[1, 0], [7, 3], [2, 3]];
const SHAPES = ["square", "circle", "triangle"];

// Smaller boxes have no room for a shape, and get a plain thin line.
export const GLYPH_FROM_PX = 22;
export const LEFT_OUT = "#6b6b6b";
export const dashOf = (label) => DASHES[(label - 1) % DASHES.length];
const shapeOf = (label) => SHAPES[(label - 1) % SHAPES.length];

// Draws the shapes into the corners of the boxes {box, label, counted, byHand} that have room.
export function drawGlyphs(pen, items, classes) {
  const paths = new Map();
  for (const { box, label, counted, byHand } of items) {
    const [left, top, right] = box;
    if (right - left < GLYPH_FROM_PX) continue;
    const color = counted ? classes[label - 1].color : LEFT_OUT;
    if (!paths.has(color)) paths.set(color, new Path2D());
    const path = paths.get(color);
    glyph(path, shapeOf(label), left + 3, top + 3, 8);
    if (!byHand) continue;
    path.rect(right - 11, top + 6, 8, 2);
    path.rect(right - 8, top + 3, 2, 8);
  }
  for (const [color, path] of paths) {
    pen.fillStyle = color;
    pen.fill(path);
  }
}

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

const SVG = "http://www.w3.org/2000/svg";

// The same look as a small picture for legends and buttons.
export function legendMark(label, color) {
  const shape = shapeOf(label);
  const picture = document.createElementNS(SVG, "svg");
  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    return element;
  };
  set(picture, { viewBox: "0 0 22 22", width: 22, height: 22, class: "mark", "aria-hidden": true });
  const frame = document.createElementNS(SVG, "rect");
  set(frame, { x: 2, y: 2, width: 18, height: 18, fill: "none", stroke: color });
  set(frame, { "stroke-width": 2, "stroke-dasharray": dashOf(label).join(" ") });
  const inner = document.createElementNS(SVG, shape === "square" ? "rect" : shape === "circle" ? "circle" : "path");
  if (shape === "square") set(inner, { x: 7, y: 7, width: 8, height: 8 });
  else if (shape === "circle") set(inner, { cx: 11, cy: 11, r: 4 });
  else set(inner, { d: "M11 6.5 15.5 15 6.5 15Z" });
  set(inner, { fill: color });
  picture.append(frame, inner);
  return picture;
}
