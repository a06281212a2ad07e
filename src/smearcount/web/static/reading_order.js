// Cells by where they lie: in reading order, and inside an area.

// Sorts indices from the top left to the bottom right, in rows as high as a cell.
export function readingOrder(indices, boxes, rowHeight) {
  return [...indices].sort(byPlace(boxes, rowHeight));
}

// The index that follows (direction 1) or comes before (-1) another in a reading order, which need
// not hold it itself; after the last comes the first. `from` is null at the beginning.
export function neighborInOrder(order, boxes, rowHeight, from, direction) {
  const first = direction > 0 ? order[0] : order.at(-1);
  if (from === null) return first;
  const compare = byPlace(boxes, rowHeight);
  const beyond = (index) => compare(index, from) * direction > 0;
  return (direction > 0 ? order.find(beyond) : order.findLast(beyond)) ?? first;
}

function byPlace(boxes, rowHeight) {
  const row = ([, top, , bottom]) => Math.floor((top + bottom) / 2 / rowHeight);
  const x = ([left, , right]) => left + right;
  return (a, b) => row(boxes[a]) - row(boxes[b]) || x(boxes[a]) - x(boxes[b]) || a - b;
}

// Returns the indices of the boxes whose middle lies in an area.
export function inside([left, top, right, bottom], indices, boxes) {
  return indices.filter((index) => {
    const [x0, y0, x1, y1] = boxes[index];
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return x >= left && x <= right && y >= top && y <= bottom;
  });
}
