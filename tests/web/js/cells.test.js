import assert from "node:assert/strict";
import { test } from "node:test";
import { Cells, hasContent } from "../../../src/smearcount/web/static/cells.js";

/** @import { Box } from "../../../src/smearcount/web/static/api.js" */

/** @type {Box[]} */
const BOXES = [
  [0, 0, 10, 10],
  [20, 20, 30, 30],
  [40, 40, 50, 50],
];
const NOTHING = { removed: [], added: [], excluded: { all: [], inside: [0], "two-edges": [] } };
const THRESHOLDS = [0.5, 0.5, 0.5];

function threeCells() {
  const found = { width: 100, height: 100, boxes: BOXES, scores: [0.9, 0.7, 0.3] };
  return new Cells({ ...found, labels: [2, 2, 1], ...NOTHING });
}

/** @type {(left: number, label?: number) => { box: Box, label: number }} */
const added = (left, label = 2) => ({ box: [left, 60, left + 10, 70], label });

test("cells below the threshold of their class are not there", () => {
  const cells = threeCells();
  assert.deepEqual(cells.present(THRESHOLDS), [0, 1]);
  assert.deepEqual(cells.present([0.2, 0.8, 0.5]), [0, 2]);
  // The server holds 32-bit scores: 0.7 as such is a little less than 0.7.
  const score = Math.fround(0.7);
  cells.scores = [0.9, score, 0.3];
  assert.ok(score < 0.7);
  assert.deepEqual(cells.present([0.5, 0.7, 0.5]), [0, 1]);
});

test("the server alone says which cells an edge rule counts", () => {
  const cells = threeCells();
  assert.deepEqual(cells.correctedTally(THRESHOLDS, "all").counted, [0, 2, 0]);
  const inside = cells.correctedTally(THRESHOLDS, "inside");
  assert.deepEqual(inside, { counted: [0, 1, 0], excluded: [0, 1, 0] });
  const excluded = { all: [], inside: [0, 3], "two-edges": [1, 4] };
  cells.update({ removed: [], added: [added(0), added(20)], excluded });
  assert.deepEqual(cells.correctedTally(THRESHOLDS, "inside").excluded, [0, 2, 0]);
  assert.deepEqual(cells.correctedTally(THRESHOLDS, "two-edges").excluded, [0, 2, 0]);
  assert.deepEqual(cells.automaticTally(THRESHOLDS, "two-edges").excluded, [0, 1, 0]);
});

test("an added cell keeps its index while others come and go", () => {
  const cells = threeCells();
  assert.deepEqual(cells.update({ ...NOTHING, added: [added(0), added(20)] }), [3, 4]);
  assert.deepEqual(cells.update({ ...NOTHING, added: [added(20)] }), [4]);
  assert.equal(cells.current(3), null);
  assert.deepEqual(cells.update({ ...NOTHING, added: [added(20), added(40)] }), [4, 5]);
  // Redone, the first one is what it was.
  assert.deepEqual(
    cells.update({ ...NOTHING, added: [added(20), added(40), added(0)] }),
    [4, 5, 3],
  );
  assert.deepEqual(cells.present(THRESHOLDS), [0, 1, 3, 4, 5]);
});

test("two added cells with the same box are two", () => {
  const cells = threeCells();
  assert.deepEqual(cells.update({ ...NOTHING, added: [added(0), added(0)] }), [3, 4]);
  assert.deepEqual(cells.update({ ...NOTHING, added: [added(0)] }), [3]);
  assert.deepEqual(cells.correctedTally(THRESHOLDS, "all").counted, [0, 3, 0]);
});

test("excluded added cells are known by the server's order, not by the order of their coming", () => {
  const cells = threeCells();
  cells.update({ ...NOTHING, added: [added(0), added(20)] });
  const excluded = { all: [], inside: [3], "two-edges": [] };
  cells.update({ removed: [], added: [added(20), added(0)], excluded });
  assert.equal(cells.isCounted(4, "inside"), false);
  assert.equal(cells.isCounted(3, "inside"), true);
});

test("a moved cell stays the same cell, also when the move is undone", () => {
  const cells = threeCells();
  const [moved] = cells.update({ ...NOTHING, removed: [1], added: [added(0)] });
  cells.replace(1, moved);
  const [again] = cells.update({ ...NOTHING, removed: [1], added: [added(5)] });
  cells.replace(moved, again);
  assert.deepEqual(cells.currentOf([1]), [again]);
  assert.deepEqual(cells.currentOf([0, 1, moved]), [0, again]);
  cells.update(NOTHING);
  assert.deepEqual(cells.currentOf([again]), [1]);
  cells.update({ ...NOTHING, removed: [1] });
  assert.deepEqual(cells.currentOf([again, 0]), [0]);
});

test("content is box and class", () => {
  const cells = threeCells();
  assert.ok(hasContent(cells, 0, { box: [0, 0, 10, 10], label: 2 }));
  assert.ok(!hasContent(cells, 0, { box: [0, 0, 10, 10], label: 1 }));
  assert.ok(!hasContent(cells, 0, { box: [0, 0, 10, 11], label: 2 }));
});
