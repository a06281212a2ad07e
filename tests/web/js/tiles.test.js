import assert from "node:assert/strict";
import { test } from "node:test";
import { Tiles } from "../../../src/smearcount/web/static/tiles.js";

/** @import { PhotographBody } from "../../../src/smearcount/web/static/api.js" */

function tilesOf(width = 1300, height = 700) {
  const row = /** @type {PhotographBody["row"]} */ ({ id: "0123456789abcdef" });
  return new Tiles({ row, width, height, levels: 3, tile_side: 512 }, () => {});
}

/** @type {(tiles: Tiles, level: number, view: object) => string[]} */
const keysInView = (tiles, level, view) => {
  const whole = { left: 0, top: 0, width: 1300, height: 700, scale: 1 };
  return [...tiles.placesInView(level, { ...whole, ...view })].map((place) => place.key);
};

test("the tiles of a level cover the image, and no more", () => {
  const tiles = tilesOf();
  assert.deepEqual(keysInView(tiles, 0, {}), [
    "0/0_0",
    "0/1_0",
    "0/2_0",
    "0/0_1",
    "0/1_1",
    "0/2_1",
  ]);
  assert.deepEqual(keysInView(tiles, 1, {}), ["1/0_0", "1/1_0"]);
  assert.deepEqual(keysInView(tiles, 2, {}), ["2/0_0"]);
});

test("only tiles in view are wanted", () => {
  const tiles = tilesOf();
  assert.deepEqual(keysInView(tiles, 0, { left: 600, width: 300, height: 100 }), ["0/1_0"]);
  assert.deepEqual(keysInView(tiles, 0, { left: -500, top: -500, width: 600, height: 600 }), [
    "0/0_0",
  ]);
});

test("the level follows the scale of the screen", () => {
  const tiles = tilesOf();
  assert.equal(tiles.levelFor(1, 1), 0);
  assert.equal(tiles.levelFor(8, 1), 0);
  assert.equal(tiles.levelFor(0.5, 1), 1);
  assert.equal(tiles.levelFor(0.5, 2), 0);
  assert.equal(tiles.levelFor(0.001, 1), 2);
});
