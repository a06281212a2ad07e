// Boxes [left, top, right, bottom], and how a gesture changes them.

/** @import { Box } from "./api.js" */

/** @typedef {{ x: number, y: number }} Point */

/**
 * What the pointer or the arrow keys are just doing.
 * @typedef {object} Gesture
 * @property {"pan" | "pinch" | "area" | "draw" | "move" | "resize"} kind
 * @property {Point} from where it began, in image pixels
 * @property {Point} to where it is now, in image pixels
 * @property {Point} [at] where it began on the screen
 * @property {boolean} [add] whether it adds to the selection
 * @property {boolean} [still] whether the pointer has hardly moved
 * @property {Box} [sides] of a resize: 1 for each side of the box that follows
 */

const SMALLEST_BOX_PX = 3;
const HANDLE_DISTANCE_PX = 3;

/**
 * @param {Point} a
 * @param {Point} b
 * @returns {Box} the box between two corners
 */
export function boxBetween(a, b) {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
}

/** @param {Box} box */
export function isLargeEnough([left, top, right, bottom]) {
  return right - left >= SMALLEST_BOX_PX && bottom - top >= SMALLEST_BOX_PX;
}

/**
 * @param {Box} box
 * @param {{ width: number, height: number }} image
 * @returns {Box} the part of the box inside the image
 */
export function clip([left, top, right, bottom], { width, height }) {
  return [Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height)];
}

/**
 * @param {Box} box on the screen
 * @returns {{ x: number, y: number, sides: Box }[]} the corners by which it can be resized
 */
export function handles([left, top, right, bottom]) {
  const [x0, y0] = [left - HANDLE_DISTANCE_PX, top - HANDLE_DISTANCE_PX];
  const [x1, y1] = [right + HANDLE_DISTANCE_PX, bottom + HANDLE_DISTANCE_PX];
  return [
    { x: x0, y: y0, sides: [1, 1, 0, 0] },
    { x: x1, y: y0, sides: [0, 1, 1, 0] },
    { x: x0, y: y1, sides: [1, 0, 0, 1] },
    { x: x1, y: y1, sides: [0, 0, 1, 1] },
  ];
}

/**
 * @param {Gesture | null} gesture
 * @param {Box} box
 * @returns {Box} the box as the gesture leaves it: moved, resized, or as it was
 */
export function changedBy(gesture, box) {
  if (gesture?.kind !== "move" && gesture?.kind !== "resize") return box;
  const [left, top, right, bottom] = box;
  const dx = gesture.to.x - gesture.from.x;
  const dy = gesture.to.y - gesture.from.y;
  if (gesture.kind === "move") return [left + dx, top + dy, right + dx, bottom + dy];
  const [l, t, r, b] = gesture.sides ?? [0, 0, 0, 0];
  const corner = { x: right + r * dx, y: bottom + b * dy };
  return boxBetween({ x: left + l * dx, y: top + t * dy }, corner);
}
