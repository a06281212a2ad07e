// Cells by where they lie: in reading order, and inside an area.

/** @import { Box } from "./api.js" */

/**
 * Sorts cells from the top left to the bottom right, in rows as high as a cell.
 * @param {number[]} indices
 * @param {Box[]} boxes
 * @param {number} rowHeight in image pixels
 */
export function readingOrder(indices, boxes, rowHeight) {
  return [...indices].sort(byPlace(boxes, rowHeight));
}

/**
 * Goes to the next or the previous cell; after the last comes the first.
 * @param {number[]} order the cells in reading order
 * @param {Box[]} boxes
 * @param {number} rowHeight in image pixels
 * @param {number | null} from the cell to go on from, which need not be in the order any more
 * @param {1 | -1} direction
 */
export function neighborInOrder(order, boxes, rowHeight, from, direction) {
  const first = direction > 0 ? order[0] : order[order.length - 1];
  if (from === null) return first;
  const compare = byPlace(boxes, rowHeight);
  /** @param {number} index */
  const isBeyond = (index) => compare(index, from) * direction > 0;
  return (direction > 0 ? order.find(isBeyond) : order.findLast(isBeyond)) ?? first;
}

/**
 * @param {Box[]} boxes
 * @param {number} rowHeight
 * @returns {(a: number, b: number) => number}
 */
function byPlace(boxes, rowHeight) {
  /** @param {Box} box */
  const row = ([, top, , bottom]) => Math.floor((top + bottom) / 2 / rowHeight);
  /** @param {Box} box */
  const x = ([left, , right]) => left + right;
  return (a, b) => row(boxes[a]) - row(boxes[b]) || x(boxes[a]) - x(boxes[b]) || a - b;
}

/**
 * @param {Box} area
 * @param {number[]} indices
 * @param {Box[]} boxes
 * @returns {number[]} the cells whose center lies in the area
 */
export function insideArea([left, top, right, bottom], indices, boxes) {
  return indices.filter((index) => {
    const [x0, y0, x1, y1] = boxes[index];
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return x >= left && x <= right && y >= top && y <= bottom;
  });
}
