// What the pointer means: pan, pinch, select, draw a box, move or resize one.

import { between, changedBy, handles, wide } from "./boxes.js";

const CLICK_PX = 4;
const HANDLE_PX = 9;
const ZOOM_PER_PX = 0.0015;
const LINE_PX = 33;

export class Gestures {
  // `ask` gives {cells, selection, showBoxes, tool}; `tell` takes what was meant: select, area, draw,
  // change, hover.
  constructor(stage, ask, tell) {
    Object.assign(this, { stage, ask, tell });
    this.pointers = new Map();
    const { canvas } = stage;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event, true));
    canvas.addEventListener("pointerleave", () => this.tell.hover(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  // Another photograph: whatever was going on is over.
  forget() {
    this.pointers.clear();
  }

  down(event) {
    const { stage } = this;
    if (!stage.tiles || (event.pointerType === "mouse" && event.button !== 0)) return;
    stage.canvas.setPointerCapture(event.pointerId);
    const at = point(event);
    this.pointers.set(event.pointerId, at);
    stage.gesture = this.pointers.size === 2 ? { kind: "pinch" } : this.begin(at, event);
  }

  begin(at, event) {
    const { stage } = this;
    const { tool, cells, selection, showBoxes } = this.ask();
    const from = stage.view.toImage(at);
    const start = { at, from, to: from, add: event.shiftKey || event.ctrlKey || event.metaKey };
    if (tool === "add") return { ...start, kind: "draw" };
    if (showBoxes && selection.size) {
      if (selection.size === 1) {
        const [index] = selection;
        const near = event.pointerType === "touch" ? HANDLE_PX * 2 : HANDLE_PX;
        const handle = handles(stage.view.toScreen(cells.boxes[index])).find(
          ({ x, y }) => Math.abs(x - at.x) <= near && Math.abs(y - at.y) <= near,
        );
        if (handle) return { ...start, kind: "resize", sides: handle.sides, still: true };
      }
      if (selection.has(stage.cellAt(at)) && !start.add) return { ...start, kind: "move", still: true };
    }
    if (tool === "area" || event.shiftKey) return { ...start, kind: "area", still: true };
    return { ...start, kind: "pan", still: true };
  }

  move(event) {
    const { stage } = this;
    const at = point(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (stage.tiles) this.tell.hover(stage.cellAt(at), at);
      return;
    }
    const { gesture } = stage;
    if (gesture?.kind === "pinch") {
      this.pinch(event.pointerId, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    if (!gesture) return;
    if (gesture.still && Math.hypot(at.x - gesture.at.x, at.y - gesture.at.y) > CLICK_PX) {
      gesture.still = false;
    }
    gesture.to = stage.view.toImage(at);
    if (gesture.kind === "pan" && !gesture.still) stage.view.pan(at.x - before.x, at.y - before.y);
    else stage.redraw();
  }

  pinch(id, at) {
    const { view } = this.stage;
    const before = span([...this.pointers.values()]);
    this.pointers.set(id, at);
    const now = span([...this.pointers.values()]);
    view.pan(now.x - before.x, now.y - before.y);
    if (before.distance > 0) view.zoom(now.distance / before.distance, now);
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { stage } = this;
    const { gesture } = stage;
    if (gesture?.kind === "pinch") {
      if (!this.pointers.size) stage.gesture = null;
      return;
    }
    stage.gesture = null;
    stage.redraw();
    if (gesture && !cancelled && stage.tiles) this.finish(gesture);
  }

  finish(gesture) {
    const box = between(gesture.from, gesture.to);
    if (gesture.kind === "draw" ? !wide(box) : gesture.still) {
      this.tell.select(this.stage.cellAt(gesture.at), gesture.add);
    } else if (gesture.kind === "area") this.tell.area(box, gesture.add);
    else if (gesture.kind === "draw") this.tell.draw(box);
    else if (gesture.kind !== "pan") this.tell.change((one) => changedBy(gesture, one));
  }

  wheel(event) {
    event.preventDefault();
    if (!this.stage.tiles) return;
    const pixels = event.deltaY * (event.deltaMode === 1 ? LINE_PX : 1);
    this.stage.view.zoom(Math.exp(-pixels * ZOOM_PER_PX), point(event));
  }
}

const point = (event) => ({ x: event.offsetX, y: event.offsetY });

// How far two fingers are apart, and the middle between them.
function span([one, two]) {
  return {
    distance: Math.hypot(one.x - two.x, one.y - two.y),
    x: (one.x + two.x) / 2,
    y: (one.y + two.y) / 2,
  };
}
