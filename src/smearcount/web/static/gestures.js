// What the pointer does: pan, pinch, select, draw a box, move or resize one.

/** @import { Box } from "./api.js" */
/** @import { Gesture, Point } from "./boxes.js" */
/** @import { EditorState, PhotographCanvas } from "./canvas.js" */

import { boxBetween, changedBy, handles, isLargeEnough } from "./boxes.js";

const CLICK_PX = 4;
const HANDLE_PX = 9;
const ZOOM_PER_PX = 0.0015;
const LINE_PX = 33;
const LEFT = 0; // buttons of the mouse
const MIDDLE = 1;

/**
 * What to do when a gesture is complete.
 * @typedef {object} GestureHandlers
 * @property {(index: number | null, add: boolean) => void} select
 * @property {(area: Box, add: boolean) => void} selectArea
 * @property {(box: Box) => void} add
 * @property {(change: (box: Box) => Box) => void} change
 * @property {(index: number | null, at: Point) => void} hover
 */

export class Gestures {
  /**
   * @param {PhotographCanvas} canvas
   * @param {() => EditorState} getState
   * @param {GestureHandlers} handlers
   */
  constructor(canvas, getState, handlers) {
    this.canvas = canvas;
    this.getState = getState;
    this.handlers = handlers;
    /** @type {Map<number, Point>} */
    this.pointers = new Map();
    this.isPanning = false; // whether dragging pans, whatever the tool
    const target = canvas.canvas;
    target.addEventListener("pointerdown", (event) => this.down(event));
    target.addEventListener("pointermove", (event) => this.move(event));
    target.addEventListener("pointerup", (event) => this.up(event));
    target.addEventListener("pointercancel", (event) => this.up(event, true));
    target.addEventListener("pointerleave", (event) => handlers.hover(null, pointOf(event)));
    target.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Ends whatever was going on, because another photograph is opened. */
  forget() {
    this.pointers.clear();
  }

  /** Gives up what is going on; returns whether anything was. */
  cancel() {
    const { canvas } = this;
    const { gesture } = canvas;
    if (!gesture || gesture.kind === "pan" || gesture.kind === "pinch") return false;
    canvas.gesture = null;
    canvas.redraw();
    return true;
  }

  /** @param {boolean} on */
  panWithAnyTool(on) {
    this.isPanning = on;
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { canvas } = this;
    const isMouse = event.pointerType === "mouse";
    if (!canvas.tiles || (isMouse && event.button !== LEFT && event.button !== MIDDLE)) return;
    canvas.canvas.setPointerCapture(event.pointerId);
    const at = pointOf(event);
    this.pointers.set(event.pointerId, at);
    canvas.gesture = this.begin(at, event);
  }

  /**
   * @param {Point} at
   * @param {PointerEvent} event
   * @returns {Gesture}
   */
  begin(at, event) {
    const { canvas } = this;
    const { tool, cells, selection, showBoxes } = this.getState();
    const from = canvas.viewport.toImage(at);
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    const start = { at, from, to: from, add };
    if (this.pointers.size === 2) return { ...start, kind: "pinch" };
    if (this.isPanning || event.button === MIDDLE) return { ...start, kind: "pan" };
    if (showBoxes && cells && selection.size) {
      if (selection.size === 1) {
        const [index] = selection;
        const near = event.pointerType === "touch" ? HANDLE_PX * 2 : HANDLE_PX;
        const handle = handles(canvas.viewport.toScreen(cells.boxes[index])).find(
          ({ x, y }) => Math.abs(x - at.x) <= near && Math.abs(y - at.y) <= near,
        );
        if (handle) return { ...start, kind: "resize", sides: handle.sides, still: true };
      }
      const under = tool === "add" ? null : canvas.cellAt(at);
      if (under !== null && selection.has(under) && !add) {
        return { ...start, kind: "move", still: true };
      }
    }
    if (tool === "add") return { ...start, kind: "draw" };
    if (tool === "area" || event.shiftKey) return { ...start, kind: "area", still: true };
    return { ...start, kind: "pan", still: true };
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { canvas } = this;
    const at = pointOf(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (canvas.tiles) this.handlers.hover(canvas.cellAt(at), at);
      return;
    }
    const { gesture } = canvas;
    if (gesture?.kind === "pinch") {
      this.pinch(event.pointerId, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    if (!gesture) return;
    const start = gesture.at ?? at;
    if (Math.hypot(at.x - start.x, at.y - start.y) > CLICK_PX) gesture.still = false;
    gesture.to = canvas.viewport.toImage(at);
    if (gesture.kind === "pan" && !gesture.still) {
      canvas.viewport.pan(at.x - before.x, at.y - before.y);
    } else canvas.redraw();
  }

  /**
   * @param {number} id of the pointer that moved
   * @param {Point} at
   */
  pinch(id, at) {
    const { viewport } = this.canvas;
    const before = span([...this.pointers.values()]);
    this.pointers.set(id, at);
    const now = span([...this.pointers.values()]);
    viewport.pan(now.x - before.x, now.y - before.y);
    if (before.distance > 0) viewport.zoom(now.distance / before.distance, now);
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} canceled
   */
  up(event, canceled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { canvas } = this;
    const { gesture } = canvas;
    if (gesture?.kind === "pinch") {
      // The finger that stays goes on to pan.
      const [at] = this.pointers.values();
      const from = at && canvas.viewport.toImage(at);
      if (this.pointers.size < 2) canvas.gesture = at ? { kind: "pan", from, to: from, at } : null;
      return;
    }
    canvas.gesture = null;
    canvas.redraw();
    if (gesture && !canceled && canvas.tiles) this.finish(gesture);
  }

  /** @param {Gesture} gesture */
  finish(gesture) {
    const { at, kind, add = false } = gesture;
    const box = boxBetween(gesture.from, gesture.to);
    const isClick = kind === "draw" ? !isLargeEnough(box) : gesture.still;
    if (isClick && at) this.handlers.select(this.canvas.cellAt(at), add);
    else if (kind === "area") this.handlers.selectArea(box, add);
    else if (kind === "draw") this.handlers.add(box);
    else if (kind !== "pan") this.handlers.change((one) => changedBy(gesture, one));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    if (!this.canvas.tiles) return;
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    this.canvas.viewport.zoom(Math.exp(-pixels * ZOOM_PER_PX), pointOf(event));
  }
}

/** @param {MouseEvent} event */
const pointOf = (event) => ({ x: event.offsetX, y: event.offsetY });

/**
 * Returns how far two fingers are apart, and the middle between them.
 * @param {Point[]} fingers
 */
function span([one, two]) {
  return {
    distance: Math.hypot(one.x - two.x, one.y - two.y),
    x: (one.x + two.x) / 2,
    y: (one.y + two.y) / 2,
  };
}
