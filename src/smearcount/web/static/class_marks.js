// How a class looks: a color, and a dash and a shape for those who cannot tell colors apart.

/** @import { Box, ClassRow } from "./api.js" */

/**
 * A box as it is drawn.
 * @typedef {object} DrawnBox
 * @property {Box} box on the screen
 * @property {number} label
 * @property {boolean} counted
 * @property {boolean} [byHand]
 * @property {boolean} [selected]
 */

/** @type {[number, number][]} */
const DASHES = [
  [1, 0],
  [7, 3],
  [2, 3],
];
/** @type {("square" | "circle" | "triangle")[]} */
const SHAPES = ["square", "circle", "triangle"];

// Smaller boxes have no room for a shape, and get a thin line.
export const SHAPE_FROM_PX = 22;

// The color of boxes that the edge rule leaves out, as in the pictures that the package draws.
export const EXCLUDED_COLOR = "#6b6b6b";

/** @param {number} label */
export const dashOf = (label) => DASHES[(label - 1) % DASHES.length];

/** @param {number} label */
const shapeOf = (label) => SHAPES[(label - 1) % SHAPES.length];

/**
 * Draws the shapes of the classes into the corners of the boxes that have room.
 * @param {CanvasRenderingContext2D} context
 * @param {DrawnBox[]} boxes
 * @param {ClassRow[]} classes
 */
export function drawShapes(context, boxes, classes) {
  /** @type {Map<string, Path2D>} */
  const paths = new Map();
  for (const { box, label, counted, byHand } of boxes) {
    const [left, top, right] = box;
    if (right - left < SHAPE_FROM_PX) continue;
    const color = counted ? classes[label - 1].color : EXCLUDED_COLOR;
    const path = paths.get(color) ?? new Path2D();
    paths.set(color, path);
    addShape(path, shapeOf(label), left + 3, top + 3, 8);
    if (!byHand) continue;
    path.rect(right - 11, top + 6, 8, 2); // a plus sign
    path.rect(right - 8, top + 3, 2, 8);
  }
  for (const [color, path] of paths) {
    context.fillStyle = color;
    context.fill(path);
  }
}

/**
 * @param {Path2D} path
 * @param {"square" | "circle" | "triangle"} shape
 * @param {number} x
 * @param {number} y
 * @param {number} side
 */
function addShape(path, shape, x, y, side) {
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

/**
 * Returns the look of a class as a small picture for legends and buttons.
 * @param {number} label
 * @param {string} color
 */
export function legendMark(label, color) {
  const shape = shapeOf(label);
  const picture = svg("svg", {
    viewBox: "0 0 22 22",
    width: 22,
    height: 22,
    class: "mark",
    "aria-hidden": "true",
  });
  const frame = svg("rect", { x: 2, y: 2, width: 18, height: 18, fill: "none", stroke: color });
  frame.setAttribute("stroke-width", "2");
  frame.setAttribute("stroke-dasharray", dashOf(label).join(" "));
  const inner =
    shape === "square"
      ? svg("rect", { x: 7, y: 7, width: 8, height: 8 })
      : shape === "circle"
        ? svg("circle", { cx: 11, cy: 11, r: 4 })
        : svg("path", { d: "M11 6.5 15.5 15 6.5 15Z" });
  inner.setAttribute("fill", color);
  picture.append(frame, inner);
  return picture;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
