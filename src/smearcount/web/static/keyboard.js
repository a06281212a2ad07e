// What the keys do to the open photograph.

import { changedBy } from "./boxes.js";

const PAN_PX = 60;
const ZOOM = 1.3;

export class Keys {
  constructor(editor) {
    this.editor = editor;
    this.nudge = null;
  }

  // Returns true if the key meant something.
  down(event) {
    const { editor } = this;
    if (!editor.photograph || event.altKey) return false;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) return this.withControl(name, event.shiftKey);
    if (name.startsWith("Arrow")) return this.arrow(name, event.shiftKey);
    if (/^[1-9]$/.test(name)) return editor.relabel(Number(name));
    const actions = {
      n: () => editor.step(1),
      p: () => editor.step(-1),
      a: () => editor.addInTheMiddle(),
      Delete: () => editor.remove(),
      Backspace: () => editor.remove(),
      "+": () => editor.zoom(ZOOM),
      "=": () => editor.zoom(ZOOM),
      "-": () => editor.zoom(1 / ZOOM),
      0: () => editor.view.fit(),
      l: () => editor.useTool("look"),
      s: () => editor.useTool("area"),
      d: () => editor.useTool("add"),
      b: () => editor.toggleBoxes(),
      PageDown: () => editor.turn(1),
      PageUp: () => editor.turn(-1),
      Escape: () => (editor.selection.size ? editor.select(null, false) : editor.leave()),
    };
    actions[name]?.();
    return name in actions;
  }

  withControl(name, shift) {
    const { editor } = this;
    if (name === "z" && !shift) editor.undo();
    else if (name === "y" || name === "z") editor.redo();
    else if (name === "a") editor.selectAll();
    else return false;
    return true;
  }

  arrow(name, grow) {
    const { view, stage, selection } = this.editor;
    const dx = { ArrowLeft: -1, ArrowRight: 1 }[name] ?? 0;
    const dy = { ArrowUp: -1, ArrowDown: 1 }[name] ?? 0;
    if (!selection.size) {
      view.pan(-dx * PAN_PX, -dy * PAN_PX);
      return true;
    }
    // Several presses in a row are one correction, sent when the key is let go.
    this.nudge ??= { dx: 0, dy: 0, grow };
    this.nudge.dx += dx;
    this.nudge.dy += dy;
    stage.gesture = {
      kind: this.nudge.grow ? "resize" : "move",
      sides: [0, 0, 1, 1],
      from: { x: 0, y: 0 },
      to: { x: this.nudge.dx, y: this.nudge.dy },
    };
    stage.redraw();
    return true;
  }

  up(event) {
    if (!this.nudge || !event.key.startsWith("Arrow")) return;
    const { editor } = this;
    const { gesture } = editor.stage;
    this.nudge = null;
    editor.stage.gesture = null;
    if (editor.photograph && gesture) editor.change((box) => changedBy(gesture, box));
  }
}
