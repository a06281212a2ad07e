import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boxBetween,
  changedBy,
  clip,
  handles,
  isLargeEnough,
} from "../../../src/smearcount/web/static/boxes.js";

/** @import { Box } from "../../../src/smearcount/web/static/api.js" */
/** @import { Gesture } from "../../../src/smearcount/web/static/boxes.js" */

/** @type {Box} */
const BOX = [10, 20, 30, 50];

/** @type {(kind: Gesture["kind"], dx: number, dy: number, sides?: Box) => Gesture} */
const gesture = (kind, dx, dy, sides) => ({
  kind,
  sides,
  from: { x: 5, y: 5 },
  to: { x: 5 + dx, y: 5 + dy },
});

test("a box between two corners is upright whichever comes first", () => {
  assert.deepEqual(boxBetween({ x: 3, y: 9 }, { x: 1, y: 4 }), [1, 4, 3, 9]);
});

test("moving shifts all sides, resizing those of the handle", () => {
  assert.deepEqual(changedBy(gesture("move", 2, -3), BOX), [12, 17, 32, 47]);
  assert.deepEqual(changedBy(gesture("resize", 2, -3, [0, 1, 1, 0]), BOX), [10, 17, 32, 50]);
  assert.deepEqual(changedBy(gesture("pan", 2, -3), BOX), BOX);
  assert.deepEqual(changedBy(null, BOX), BOX);
});

test("a box pulled over its opposite side stays a box", () => {
  const [left, top, right, bottom] = changedBy(gesture("resize", -40, 0, [0, 0, 1, 1]), BOX);
  assert.ok(left < right && top < bottom);
});

test("every handle moves its own corner only", () => {
  for (const { sides } of handles(BOX)) {
    const changed = changedBy(gesture("resize", 1, 1, sides), BOX);
    const moved = changed.map((edge, side) => edge - BOX[side]);
    assert.deepEqual(moved, sides);
  }
});

test("boxes are cut to the image, and too small ones refused", () => {
  assert.deepEqual(clip([-5, 10, 30, 90], { width: 20, height: 80 }), [0, 10, 20, 80]);
  assert.ok(isLargeEnough([0, 0, 3, 3]));
  assert.ok(!isLargeEnough([0, 0, 3, 2]));
});
