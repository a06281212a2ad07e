// Cells by where they lie: in reading order, and inside an area.

// Sorts indices from the top left to the bottom right, in rows as high as a cell.
export function readingOrder(indices, boxes, rowHeight) {
  const keyed = indices.map((index) => {
    const [left, top, right, bottom] = boxes[index];
    return { index, row: Math.floor((top + bottom) / 2 / rowHeight), x: left + right };
  });
  return keyed.sort((a, b) => a.row - b.row || a.x - b.x).map(({ index }) => index);
}

// Returns the indices of the boxes whose middle lies in an area.
export function inside([left, top, right, bottom], indices, boxes) {
  return indices.filter((index) => {
    const [x0, y0, x1, y1] = boxes[index];
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return x >= left && x <= right && y >= top && y <= bottom;
  });
}
