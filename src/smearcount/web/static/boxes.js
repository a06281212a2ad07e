// Boxes [left, top, right, bottom], and how a hand changes them.

const SMALLEST_BOX_PX = 3;
const OUTSIDE_PX = 3;

export function between(a, b) {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
}

export function wide([left, top, right, bottom]) {
  return right - left >= SMALLEST_BOX_PX && bottom - top >= SMALLEST_BOX_PX;
}

// The four places of a box on the screen at which it can be taken; `sides` says which sides follow.
export function handles([left, top, right, bottom]) {
  const [x0, y0, x1, y1] = [left - OUTSIDE_PX, top - OUTSIDE_PX, right + OUTSIDE_PX, bottom + OUTSIDE_PX];
  return [
    { x: x0, y: y0, sides: [1, 1, 0, 0] },
    { x: x1, y: y0, sides: [0, 1, 1, 0] },
    { x: x0, y: y1, sides: [1, 0, 0, 1] },
    { x: x1, y: y1, sides: [0, 0, 1, 1] },
  ];
}

// A box as a gesture {kind, from, to, sides} leaves it: moved, resized, or as it was.
export function changedBy(gesture, box) {
  if (gesture?.kind !== "move" && gesture?.kind !== "resize") return box;
  const [left, top, right, bottom] = box;
  const dx = gesture.to.x - gesture.from.x;
  const dy = gesture.to.y - gesture.from.y;
  if (gesture.kind === "move") return [left + dx, top + dy, right + dx, bottom + dy];
  const [l, t, r, b] = gesture.sides;
  return between({ x: left + l * dx, y: top + t * dy }, { x: right + r * dx, y: bottom + b * dy });
}
