import assert from "node:assert/strict";
import { test } from "node:test";
import { Viewport } from "../../../src/smearcount/web/static/viewport.js";

function viewportOf(width = 400, height = 300) {
  const viewport = new Viewport(() => {});
  viewport.resize(width, height);
  viewport.show({ width: 800, height: 300 });
  return viewport;
}

test("the whole image is fitted and centered", () => {
  const viewport = viewportOf();
  assert.equal(viewport.scale, 0.5);
  assert.deepEqual(viewport.toScreen([0, 0, 800, 300]), [0, 75, 400, 225]);
  assert.deepEqual(viewport.center(), { x: 400, y: 150 });
  viewport.resize(800, 600);
  assert.equal(viewport.scale, 1);
});

test("zooming leaves the point under the pointer where it is", () => {
  const viewport = viewportOf();
  const at = { x: 123, y: 140 };
  const before = viewport.toImage(at);
  viewport.zoom(3, at);
  const after = viewport.toImage(at);
  assert.ok(Math.abs(before.x - after.x) < 1e-9 && Math.abs(before.y - after.y) < 1e-9);
  assert.equal(viewport.fitted, false);
});

test("screen and image points are each other's inverse", () => {
  const viewport = viewportOf();
  viewport.zoom(2.5, { x: 10, y: 20 });
  viewport.pan(-30, 12);
  const [x, y] = viewport.toScreen([100, 50, 120, 60]);
  const back = viewport.toImage({ x, y });
  assert.ok(Math.abs(back.x - 100) < 1e-9 && Math.abs(back.y - 50) < 1e-9);
});

test("the image cannot be lost from view, nor scaled without end", () => {
  const viewport = viewportOf();
  viewport.pan(1e6, -1e6);
  assert.ok(viewport.shows(viewport.toScreen([0, 0, 800, 300])));
  viewport.zoom(1e9);
  assert.equal(viewport.scale, 40);
  viewport.zoom(1e-9);
  assert.equal(viewport.scale, 0.25);
});

test("a box is revealed only if it is not in view", () => {
  const viewport = viewportOf();
  viewport.zoom(4);
  const left = viewport.left;
  viewport.reveal([390, 140, 410, 160]);
  assert.equal(viewport.left, left);
  viewport.reveal([700, 140, 720, 160]);
  assert.deepEqual(viewport.center(), { x: 710, y: 150 });
});

test("a place is shown as it was", () => {
  const viewport = viewportOf();
  viewport.show({ width: 800, height: 300 }, { x: 200, y: 100, scale: 4 });
  assert.deepEqual(viewport.center(), { x: 200, y: 100 });
  assert.equal(viewport.scale, 4);
});
