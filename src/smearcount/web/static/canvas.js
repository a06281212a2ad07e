// The canvas: tiles of the photograph, boxes around its cells, and what a hand is just doing.

import { between, changedBy, handles } from "./boxes.js";
import { drawGlyphs } from "./class_marks.js";
import { Outlines } from "./box_outlines.js";
import { Tiles } from "./tiles.js";
import { View } from "./viewport.js";

export class Stage {
  // `ask` gives {cells, shown, rule, classes, selection, showBoxes, label}; `moved` hears when the
  // view changes.
  constructor(canvas, ask, moved) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.ask = ask;
    this.outlines = new Outlines();
    this.view = new View(() => {
      this.redraw();
      moved();
    });
    this.gesture = null;
    this.waiting = false;
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
  }

  open(photograph, place) {
    this.close();
    this.tiles = new Tiles(photograph, () => this.redraw());
    this.resize();
    this.view.show(photograph, place);
  }

  close() {
    this.tiles?.close();
    this.tiles = undefined;
    this.gesture = null;
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    if (!clientWidth || !clientHeight) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.view.resize(clientWidth, clientHeight);
    this.redraw();
  }

  // However often it is asked for, there is one painting per frame.
  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.tiles) this.paint();
    });
  }

  paint() {
    const { pen, view } = this;
    const ratio = window.devicePixelRatio || 1;
    const state = this.ask();
    pen.resetTransform();
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.tiles.draw(pen, view, ratio);
    if (!state.cells) return;
    const items = this.items(state);
    this.outlines.draw(pen, items, state.classes, ratio);
    drawGlyphs(pen, items, state.classes);
    const chosen = items.filter((item) => item.chosen);
    if (chosen.length === 1) for (const handle of handles(chosen[0].box)) this.paintHandle(handle);
    if (this.gesture?.kind === "area") this.paintArea();
  }

  // The boxes in view, on the screen, as the running gesture would leave them.
  items({ cells, shown, rule, selection, showBoxes, label }) {
    const { view, gesture } = this;
    const items = [];
    for (const index of showBoxes ? shown : []) {
      const chosen = selection.has(index);
      const box = view.toScreen(chosen ? changedBy(gesture, cells.boxes[index]) : cells.boxes[index]);
      if (!view.shows(box)) continue;
      const counted = cells.counted(index, rule);
      items.push({ box, label: cells.labels[index], counted, byHand: cells.byHand(index), chosen });
    }
    if (gesture?.kind === "draw") {
      items.push({ box: view.toScreen(between(gesture.from, gesture.to)), label, counted: true });
    }
    return items;
  }

  paintHandle({ x, y }) {
    const { pen } = this;
    pen.fillStyle = "#fff";
    pen.strokeStyle = "#111";
    pen.lineWidth = 1.5;
    pen.fillRect(x - 4, y - 4, 8, 8);
    pen.strokeRect(x - 4, y - 4, 8, 8);
  }

  paintArea() {
    const { pen, gesture } = this;
    const [left, top, right, bottom] = this.view.toScreen(between(gesture.from, gesture.to));
    pen.fillStyle = "rgba(20, 60, 120, 0.15)";
    pen.strokeStyle = "#123c78";
    pen.lineWidth = 1.5;
    pen.fillRect(left, top, right - left, bottom - top);
    pen.strokeRect(left, top, right - left, bottom - top);
  }

  // The smallest box under a point of the screen, so that a cell inside another can be had.
  cellAt(point) {
    const { cells, shown } = this.ask();
    const { x, y } = this.view.toImage(point);
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
}
