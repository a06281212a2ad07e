import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyboard } from "../../../src/smearcount/web/static/keyboard.js";

/** @import { Editor } from "../../../src/smearcount/web/static/editor.js" */

/** Records what the keys make an editor do. */
function recordingEditor(selection = new Set()) {
  /** @type {string[]} */
  const calls = [];
  const record =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...values) => {
      const plain = values.filter((value) => typeof value !== "function");
      calls.push([name, ...plain].join(" "));
      return true;
    };
  const names = ["step", "addInTheMiddle", "remove", "zoom", "useTool", "toggleBoxes", "turn"];
  names.push("escape", "chooseClass", "undo", "redo", "selectAll");
  /** @type {Record<string, unknown>} */
  const editor = Object.fromEntries(names.map((name) => [name, record(name)]));
  editor.photograph = {};
  editor.selection = selection;
  editor.viewport = { fit: record("fit"), pan: record("pan") };
  editor.gestures = { panWithAnyTool: record("pan") };
  editor.canvas = { gesture: null, redraw: () => {} };
  /** @param {(box: number[]) => number[]} change */
  editor.change = (change) => calls.push(`change ${change([10, 10, 20, 20])}`);
  return { keyboard: new Keyboard(/** @type {Editor} */ (/** @type {unknown} */ (editor))), calls };
}

/** @type {(key: string, modifiers?: object) => KeyboardEvent} */
const press = (key, modifiers = {}) => /** @type {KeyboardEvent} */ ({ key, ...modifiers });

test("letters are the same with capitals", () => {
  const { keyboard, calls } = recordingEditor();
  for (const key of ["n", "N", "p", "a", "Delete", "Backspace", "2", "b", "PageUp", "0"]) {
    assert.ok(keyboard.down(press(key)));
  }
  const expected = ["step 1", "step 1", "step -1", "addInTheMiddle", "remove", "remove"];
  assert.deepEqual(calls, [...expected, "chooseClass 2", "toggleBoxes", "turn -1", "fit"]);
});

test("control makes other meanings, and the browser keeps its own keys", () => {
  const { keyboard, calls } = recordingEditor();
  const control = { ctrlKey: true };
  assert.ok(keyboard.down(press("z", control)));
  assert.ok(keyboard.down(press("Z", { ...control, shiftKey: true })));
  assert.ok(keyboard.down(press("y", control)));
  assert.ok(keyboard.down(press("a", { metaKey: true })));
  assert.ok(!keyboard.down(press("r", control)));
  assert.ok(!keyboard.down(press("n", { altKey: true })));
  assert.ok(!keyboard.down(press("F5")));
  assert.deepEqual(calls, ["undo", "redo", "redo", "selectAll"]);
});

test("while space is held, dragging moves the view", () => {
  const { keyboard, calls } = recordingEditor();
  assert.ok(keyboard.down(press(" ")));
  keyboard.up(press(" "));
  assert.deepEqual(calls, ["pan true", "pan false"]);
});

test("arrows in a row are one move or one resize, made when the key is let go", () => {
  for (const [shiftKey, expected] of [
    [false, "change 8,11,18,21"],
    [true, "change 10,10,18,21"],
  ]) {
    const { keyboard, calls } = recordingEditor(new Set([3]));
    for (const key of ["ArrowLeft", "ArrowLeft", "ArrowDown"])
      keyboard.down(press(key, { shiftKey }));
    assert.deepEqual(calls, []);
    keyboard.up(press("ArrowDown"));
    keyboard.up(press("ArrowDown"));
    assert.deepEqual(calls, [expected]);
  }
});

test("arrows without a selection move the view", () => {
  const { keyboard, calls } = recordingEditor();
  keyboard.down(press("ArrowRight"));
  keyboard.up(press("ArrowRight"));
  assert.deepEqual(calls, ["pan -60 0"]);
});

test("without a photograph no key has a meaning", () => {
  const { keyboard, calls } = recordingEditor();
  keyboard.editor.photograph = null;
  assert.ok(!keyboard.down(press("n")));
  assert.deepEqual(calls, []);
});
