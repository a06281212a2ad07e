import assert from "node:assert/strict";
import { test } from "node:test";
import {
  insideArea,
  neighborInOrder,
  readingOrder,
} from "../../../src/smearcount/web/static/reading_order.js";

/** @import { Box } from "../../../src/smearcount/web/static/api.js" */

/** @type {Box[]} Two rows of two, and one on top of the last. */
const BOXES = [
  [60, 50, 70, 60],
  [0, 0, 10, 10],
  [60, 2, 70, 12],
  [0, 51, 10, 61],
  [60, 50, 70, 60],
];
const ROW = 20;

test("cells are read from the top left to the bottom right", () => {
  assert.deepEqual(readingOrder([0, 1, 2, 3, 4], BOXES, ROW), [1, 2, 3, 0, 4]);
});

test("stepping goes on from a cell that is gone, and around the end", () => {
  const order = readingOrder([1, 2, 0, 4], BOXES, ROW);
  assert.equal(neighborInOrder(order, BOXES, ROW, null, 1), 1);
  assert.equal(neighborInOrder(order, BOXES, ROW, null, -1), 4);
  assert.equal(neighborInOrder(order, BOXES, ROW, 3, 1), 0);
  assert.equal(neighborInOrder(order, BOXES, ROW, 3, -1), 2);
  assert.equal(neighborInOrder(order, BOXES, ROW, 0, 1), 4);
  assert.equal(neighborInOrder(order, BOXES, ROW, 4, 1), 1);
  assert.equal(neighborInOrder(order, BOXES, ROW, 1, -1), 4);
});

test("a whole round visits every cell once", () => {
  const order = readingOrder([0, 1, 2, 3, 4], BOXES, ROW);
  /** @type {number[]} */
  const visited = [];
  for (const _ of order)
    visited.push(neighborInOrder(order, BOXES, ROW, visited.at(-1) ?? null, 1));
  assert.deepEqual(visited, order);
});

test("an area holds the cells whose center lies in it", () => {
  assert.deepEqual(insideArea([0, 0, 40, 56], [0, 1, 2, 3], BOXES), [1, 3]);
});
