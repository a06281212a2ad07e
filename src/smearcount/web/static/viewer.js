// The photograph on the canvas: where we look, the tiles, the boxes, and what the pointer does.

import { drawBoxes } from "./marks.js";
import { Tiles } from "./tiles.js";

const LARGEST_SCALE = 40;
const CLICK_PX = 4;
const HANDLE_PX = 9;
const SMALLEST_BOX_PX = 3;

export class Viewer {
  // `ask` gives {cells, limits, rule, classes, selection, showBoxes, tool, label}; `tell` takes the
  // gestures: select, area, draw, change, hover, moved.
  constructor(canvas, ask, tell) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.ask = ask;
    this.tell = tell;
    this.view = { left: 0, top: 0, scale: 1, width: 1, height: 1 };
    this.pointers = new Map();
    this.gesture = null;
    this.drawn = false;
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event, true));
    canvas.addEventListener("pointerleave", () => this.tell.hover(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  open(photograph, place) {
    this.tiles?.close();
    this.tiles = new Tiles(photograph, () => this.redraw());
    this.gesture = null;
    this.pointers.clear();
    this.resize();
    if (place) this.lookAt(place.x, place.y, place.scale);
    else this.fit();
  }

  close() {
    this.tiles?.close();
    this.tiles = undefined;
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    if (!clientWidth || !clientHeight) return;
    const ratio = window.devicePixelRatio || 1;
    const fitted = this.fitted;
    this.view.width = clientWidth;
    this.view.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    if (fitted && this.tiles) this.fit();
    this.redraw();
  }

  fit() {
    this.view.scale = this.fitScale();
    this.lookAt(this.tiles.width / 2, this.tiles.height / 2, this.view.scale);
    this.fitted = true;
  }

  fitScale() {
    const { width, height } = this.view;
    return Math.min(width / this.tiles.width, height / this.tiles.height, LARGEST_SCALE);
  }

  // Puts an image point into the middle.
  lookAt(x, y, scale = this.view.scale) {
    const { view } = this;
    this.fitted = false;
    view.scale = Math.min(Math.max(scale, this.fitScale() / 2), LARGEST_SCALE);
    view.left = x - view.width / view.scale / 2;
    view.top = y - view.height / view.scale / 2;
    this.keepInView();
  }

  keepInView() {
    const { view, tiles } = this;
    const hold = (start, shown, size) =>
      Math.min(Math.max(start, -shown / 2), size - shown / 2);
    view.left = hold(view.left, view.width / view.scale, tiles.width);
    view.top = hold(view.top, view.height / view.scale, tiles.height);
    this.redraw();
    this.tell.moved();
  }

  centre() {
    const { view } = this;
    return { x: view.left + view.width / view.scale / 2, y: view.top + view.height / view.scale / 2 };
  }

  pan(dx, dy) {
    this.fitted = false;
    this.view.left -= dx / this.view.scale;
    this.view.top -= dy / this.view.scale;
    this.keepInView();
  }

  zoom(factor, at = { x: this.view.width / 2, y: this.view.height / 2 }) {
    const { view } = this;
    const fixed = this.toImage(at);
    this.fitted = false;
    view.scale = Math.min(Math.max(view.scale * factor, this.fitScale() / 2), LARGEST_SCALE);
    view.left = fixed.x - at.x / view.scale;
    view.top = fixed.y - at.y / view.scale;
    this.keepInView();
  }

  // Moves only if the box is not comfortably in view.
  reveal([left, top, right, bottom]) {
    const { view, tiles } = this;
    const margin = 20 / view.scale;
    const inside =
      Math.max(left - margin, 0) >= view.left &&
      Math.max(top - margin, 0) >= view.top &&
      Math.min(right + margin, tiles.width) <= view.left + view.width / view.scale &&
      Math.min(bottom + margin, tiles.height) <= view.top + view.height / view.scale;
    if (!inside) this.lookAt((left + right) / 2, (top + bottom) / 2);
  }

  toImage({ x, y }) {
    return { x: x / this.view.scale + this.view.left, y: y / this.view.scale + this.view.top };
  }

  toScreen([left, top, right, bottom]) {
    const { scale, left: x, top: y } = this.view;
    return [(left - x) * scale, (top - y) * scale, (right - left) * scale, (bottom - top) * scale];
  }

  redraw() {
    if (this.drawn) return;
    this.drawn = true;
    requestAnimationFrame(() => {
      this.drawn = false;
      if (this.tiles) this.paint();
    });
  }

  paint() {
    const { pen, view } = this;
    const ratio = window.devicePixelRatio || 1;
    const state = this.ask();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.tiles.draw(pen, view, ratio);
    if (!state.cells) return;
    if (state.showBoxes) this.paintBoxes(state);
    this.paintGesture(state);
  }

  inView([x, y, w, h]) {
    return x + w > 0 && y + h > 0 && x < this.view.width && y < this.view.height;
  }

  paintBoxes({ cells, shown, rule, classes, selection }) {
    const items = [];
    const chosen = [];
    for (const index of shown) {
      const moved = selection.has(index) ? this.changed(cells.boxes[index]) : cells.boxes[index];
      const box = this.toScreen(moved);
      if (!this.inView(box)) continue;
      if (selection.has(index)) chosen.push(box);
      const counted = cells.counted(index, rule);
      items.push({ box, label: cells.labels[index], counted, byHand: cells.byHand(index) });
    }
    drawBoxes(this.pen, items, classes);
    const { pen } = this;
    for (const [x, y, w, h] of chosen) {
      pen.lineWidth = 5;
      pen.strokeStyle = "#fff";
      pen.strokeRect(x - 3, y - 3, w + 6, h + 6);
      pen.lineWidth = 2.5;
      pen.strokeStyle = "#111";
      pen.strokeRect(x - 3, y - 3, w + 6, h + 6);
    }
    if (chosen.length === 1) for (const handle of handles(chosen[0])) this.paintHandle(handle);
  }

  paintHandle({ x, y }) {
    const { pen } = this;
    pen.fillStyle = "#fff";
    pen.strokeStyle = "#111";
    pen.lineWidth = 1.5;
    pen.fillRect(x - 4, y - 4, 8, 8);
    pen.strokeRect(x - 4, y - 4, 8, 8);
  }

  paintGesture({ classes, label }) {
    const { gesture, pen } = this;
    if (gesture?.kind !== "draw" && gesture?.kind !== "area") return;
    const box = this.toScreen(between(gesture.from, gesture.to));
    if (gesture.kind === "draw") {
      drawBoxes(pen, [{ box, label, counted: true, byHand: false }], classes);
      return;
    }
    pen.save();
    pen.fillStyle = "rgba(20, 60, 120, 0.15)";
    pen.strokeStyle = "#123c78";
    pen.lineWidth = 1.5;
    pen.fillRect(...box);
    pen.strokeRect(...box);
    pen.restore();
  }

  // A selected box as the running gesture would leave it.
  changed(box) {
    const { gesture } = this;
    if (gesture?.kind !== "move" && gesture?.kind !== "resize") return box;
    return apply(gesture, box);
  }

  // The smallest box under a point of the screen, so that a cell inside another can be had.
  cellAt(point) {
    const { cells, shown } = this.ask();
    const { x, y } = this.toImage(point);
    let best = null;
    let least = Infinity;
    for (const index of shown) {
      const [left, top, right, bottom] = cells.boxes[index];
      const area = (right - left) * (bottom - top);
      if (x >= left && x <= right && y >= top && y <= bottom && area < least) {
        best = index;
        least = area;
      }
    }
    return best;
  }

  down(event) {
    if (!this.tiles || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = point(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) {
      this.gesture = { kind: "pinch" };
      return;
    }
    this.gesture = this.begin(at, event);
  }

  begin(at, event) {
    const { tool, cells, selection, showBoxes } = this.ask();
    const from = this.toImage(at);
    const start = { at, from, to: from, add: event.shiftKey || event.ctrlKey || event.metaKey };
    if (tool === "add") return { ...start, kind: "draw" };
    if (showBoxes && selection.size) {
      if (selection.size === 1) {
        const [index] = selection;
        const near = event.pointerType === "touch" ? HANDLE_PX * 2 : HANDLE_PX;
        const handle = handles(this.toScreen(cells.boxes[index])).find(
          ({ x, y }) => Math.abs(x - at.x) <= near && Math.abs(y - at.y) <= near,
        );
        if (handle) return { ...start, kind: "resize", sides: handle.sides, still: true };
      }
      const hit = this.cellAt(at);
      if (selection.has(hit) && !start.add) return { ...start, kind: "move", still: true };
    }
    if (tool === "area" || event.shiftKey) return { ...start, kind: "area", still: true };
    return { ...start, kind: "pan", still: true };
  }

  move(event) {
    const at = point(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (this.tiles) this.tell.hover(this.cellAt(at), at);
      return;
    }
    const { gesture } = this;
    if (gesture?.kind === "pinch") {
      this.pinch(event.pointerId, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    if (!gesture) return;
    if (gesture.still && Math.hypot(at.x - gesture.at.x, at.y - gesture.at.y) > CLICK_PX) {
      gesture.still = false;
    }
    gesture.to = this.toImage(at);
    if (gesture.kind === "pan" && !gesture.still) this.pan(at.x - before.x, at.y - before.y);
    this.redraw();
  }

  pinch(id, at) {
    const [first, second] = [...this.pointers.values()];
    const before = { distance: Math.hypot(first.x - second.x, first.y - second.y), x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
    this.pointers.set(id, at);
    const [one, two] = [...this.pointers.values()];
    const now = { distance: Math.hypot(one.x - two.x, one.y - two.y), x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 };
    this.pan(now.x - before.x, now.y - before.y);
    if (before.distance > 0) this.zoom(now.distance / before.distance, now);
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { gesture } = this;
    if (gesture?.kind === "pinch") {
      if (!this.pointers.size) this.gesture = null;
      return;
    }
    this.gesture = null;
    this.redraw();
    if (!gesture || cancelled || !this.tiles) return;
    if (gesture.kind !== "draw" && gesture.still) {
      this.tell.select(this.cellAt(gesture.at), gesture.add);
    } else if (gesture.kind === "area") {
      this.tell.area(between(gesture.from, gesture.to), gesture.add);
    } else if (gesture.kind === "draw") {
      const box = between(gesture.from, gesture.to);
      if (wide(box)) this.tell.draw(box);
      else this.tell.select(this.cellAt(gesture.at), gesture.add);
    } else if (gesture.kind !== "pan") {
      this.tell.change((box) => apply(gesture, box));
    }
  }

  wheel(event) {
    event.preventDefault();
    if (!this.tiles) return;
    const lines = event.deltaMode === 1 ? 33 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * 0.0015), point(event));
  }
}

function point(event) {
  return { x: event.offsetX, y: event.offsetY };
}

function between(a, b) {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
}

export function wide([left, top, right, bottom]) {
  return right - left >= SMALLEST_BOX_PX && bottom - top >= SMALLEST_BOX_PX;
}

function handles([x, y, w, h]) {
  return [
    { x: x - 3, y: y - 3, sides: [1, 1, 0, 0] },
    { x: x + w + 3, y: y - 3, sides: [0, 1, 1, 0] },
    { x: x - 3, y: y + h + 3, sides: [1, 0, 0, 1] },
    { x: x + w + 3, y: y + h + 3, sides: [0, 0, 1, 1] },
  ];
}

function apply(gesture, [left, top, right, bottom]) {
  const dx = gesture.to.x - gesture.from.x;
  const dy = gesture.to.y - gesture.from.y;
  if (gesture.kind === "move") return [left + dx, top + dy, right + dx, bottom + dy];
  const [l, t, r, b] = gesture.sides;
  return between({ x: left + l * dx, y: top + t * dy }, { x: right + r * dx, y: bottom + b * dy });
}
