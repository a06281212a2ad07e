// What the keys do to the open photograph.

/** @import { Editor } from "./editor.js" */

import { changedBy } from "./boxes.js";

const PAN_PX = 60;
const ZOOM = 1.3;

/**
 * Whether a key means the same when a button or a checkbox has the focus: letters do not.
 * @param {KeyboardEvent} event
 */
export const keepsMeaningOnControls = ({ key, ctrlKey, metaKey }) =>
  ctrlKey || metaKey || ["Escape", "PageUp", "PageDown"].includes(key);

export class Keyboard {
  /** @param {Editor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {{ dx: number, dy: number, grow: boolean } | null} */
    this.nudge = null;
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key has a meaning
   */
  down(event) {
    const { editor } = this;
    if (!editor.photograph || event.altKey) return false;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) return this.withControl(key, event.shiftKey);
    if (key.startsWith("Arrow")) return this.arrow(key, event.shiftKey);
    if (/^[1-9]$/.test(key)) return editor.chooseClass(Number(key));
    /** @type {Record<string, () => void>} */
    const actions = {
      n: () => editor.step(1),
      p: () => editor.step(-1),
      a: () => editor.addInTheMiddle(),
      Delete: () => editor.remove(),
      Backspace: () => editor.remove(),
      "+": () => editor.zoom(ZOOM),
      "=": () => editor.zoom(ZOOM),
      "-": () => editor.zoom(1 / ZOOM),
      0: () => editor.viewport.fit(),
      l: () => editor.useTool("look"),
      s: () => editor.useTool("area"),
      d: () => editor.useTool("add"),
      b: () => editor.toggleBoxes(),
      PageDown: () => editor.turn(1),
      PageUp: () => editor.turn(-1),
      Escape: () => editor.escape(),
      " ": () => editor.gestures.panWithAnyTool(true),
    };
    actions[key]?.();
    return key in actions;
  }

  /**
   * @param {string} key
   * @param {boolean} shift
   */
  withControl(key, shift) {
    const { editor } = this;
    if (key === "z" && !shift) editor.undo();
    else if (key === "y" || key === "z") editor.redo();
    else if (key === "a") editor.selectAll();
    else return false;
    return true;
  }

  /**
   * Moves or resizes the selected cells, or moves the view.
   * @param {string} key
   * @param {boolean} grow
   */
  arrow(key, grow) {
    const { viewport, canvas, selection } = this.editor;
    const dx = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
    const dy = key === "ArrowUp" ? -1 : key === "ArrowDown" ? 1 : 0;
    if (!selection.size) {
      viewport.pan(-dx * PAN_PX, -dy * PAN_PX);
      return true;
    }
    // Several presses in a row are one correction, sent when the key is let go.
    this.nudge ??= { dx: 0, dy: 0, grow };
    this.nudge.dx += dx;
    this.nudge.dy += dy;
    canvas.gesture = {
      kind: this.nudge.grow ? "resize" : "move",
      sides: [0, 0, 1, 1],
      from: { x: 0, y: 0 },
      to: { x: this.nudge.dx, y: this.nudge.dy },
    };
    canvas.redraw();
    return true;
  }

  /** @param {KeyboardEvent} event */
  up(event) {
    if (event.key === " ") this.editor.gestures.panWithAnyTool(false);
    if (!this.nudge || !event.key.startsWith("Arrow")) return;
    const { editor } = this;
    const { gesture } = editor.canvas;
    this.nudge = null;
    editor.canvas.gesture = null;
    if (editor.photograph && gesture) editor.change((box) => changedBy(gesture, box));
  }
}
