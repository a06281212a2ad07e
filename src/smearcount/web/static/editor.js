// The open photograph and everything done to it: what is selected, shown and corrected.

import { annotatedOf, api } from "./api.js";
import { wide } from "./boxes.js";
import { Cells } from "./cells.js";
import { send } from "./corrections.js";
import { brief, spoken } from "./describe.js";
import { Gestures } from "./gestures.js";
import { inside, readingOrder } from "./order.js";
import { Stage } from "./stage.js";
import { announce, putRow, store, thresholds } from "./store.js";
import { cellName, number, t } from "./text.js";

const GUESSED_CELL = 0.1;
const HOVER_PX = 14;

export class Editor {
  // `say` speaks to the user; `moved` hears when something else is to be seen; `leave` and `turn` navigate.
  constructor(canvas, hoverBox, { say, moved, leave, turn }) {
    Object.assign(this, { hoverBox, say, moved, leave, turn });
    this.selection = new Set();
    this.tool = "look";
    this.label = 1;
    this.showBoxes = true;
    this.photograph = null;
    this.cells = null;
    this.shown = [];
    const ask = () => this.state();
    this.stage = new Stage(canvas, ask, moved);
    this.view = this.stage.view;
    this.gestures = new Gestures(this.stage, ask, {
      select: (index, add) => this.select(index, add),
      area: (box, add) => this.selectArea(box, add),
      draw: (box) => this.add(box),
      change: (change) => this.change(change),
      hover: (index, at) => this.hover(index, at),
    });
  }

  state() {
    const { cells, shown, selection, showBoxes, tool, label } = this;
    const rule = store.settings.edge;
    return { cells, shown, rule, classes: store.classes, selection, showBoxes, tool, label };
  }

  async open(id, place) {
    const photograph = await api.photograph(id);
    this.photograph = photograph;
    this.cells = new Cells(photograph);
    this.selection.clear();
    const red = store.classes.findIndex((one) => one.name === "RBC");
    this.label = red < 0 ? 1 : red + 1;
    putRow(photograph.row);
    this.recount();
    this.gestures.forget();
    this.stage.open(photograph, place);
  }

  close() {
    this.stage.close();
    this.photograph = null;
    this.cells = null;
    this.shown = [];
    this.selection.clear();
    this.hover(null);
  }

  // Settings or corrections changed: which cells are there now?
  recount() {
    if (!this.cells) return;
    this.shown = this.cells.present(thresholds());
    const present = new Set(this.shown);
    for (const index of this.selection) if (!present.has(index)) this.selection.delete(index);
    this.stage.redraw();
  }

  tallies() {
    const rule = store.settings.edge;
    const classes = store.classes.length;
    return {
      automatic: this.cells.automaticTally(thresholds(), rule, classes),
      corrected: this.cells.tally(thresholds(), rule, classes),
    };
  }

  annotatedAddress() {
    return annotatedOf(this.photograph.row.id);
  }

  // The usual width of a cell in image pixels.
  get cellPx() {
    const { width, height } = this.cells;
    return this.photograph.rbc_diameter_px ?? Math.min(width, height) * GUESSED_CELL;
  }

  // --- selection

  select(index, add) {
    if (!add) this.selection.clear();
    if (index !== null) {
      if (add && this.selection.has(index)) this.selection.delete(index);
      else this.selection.add(index);
    }
    this.afterSelection(index);
  }

  selectArea(box, add) {
    const before = add ? this.selection : [];
    this.selection = new Set([...before, ...inside(box, this.shown, this.cells.boxes)]);
    this.afterSelection(null);
  }

  selectAll() {
    this.selection = new Set(this.shown);
    this.afterSelection(null);
  }

  // Goes to the next or the previous cell in reading order.
  step(direction) {
    const n = this.shown.length;
    if (!n) return;
    const order = readingOrder(this.shown, this.cells.boxes, this.cellPx);
    const at = order.indexOf([...this.selection].at(-1));
    const next = at < 0 ? (direction > 0 ? 0 : n - 1) : (at + direction + n) % n;
    this.selection = new Set([order[next]]);
    this.view.reveal(this.cells.boxes[order[next]]);
    this.afterSelection(order[next], next + 1);
  }

  afterSelection(index, place) {
    this.stage.redraw();
    if (this.selection.size === 1 && index !== null) {
      const at = place ?? this.shown.indexOf(index) + 1;
      this.say(spoken(this.cells, index, at, this.shown.length));
    } else if (this.selection.size) this.say(t("selected", { n: number(this.selection.size) }));
    announce();
  }

  hover(index, at) {
    this.hoverBox.hidden = index === null || !this.showBoxes;
    if (this.hoverBox.hidden) return;
    this.hoverBox.textContent = brief(this.cells, index);
    this.hoverBox.style.left = `${at.x + HOVER_PX}px`;
    this.hoverBox.style.top = `${at.y + HOVER_PX}px`;
  }

  // --- corrections

  cell(index, box = this.cells.boxes[index], label = this.cells.labels[index]) {
    return { box, label: store.classes[label - 1].name };
  }

  clip([left, top, right, bottom]) {
    const { width, height } = this.cells;
    return [Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height)];
  }

  add(box) {
    const clipped = this.clip(box);
    if (!wide(clipped)) return;
    this.send({ add: [{ box: clipped, label: store.classes[this.label - 1].name }] });
  }

  // A cell of the usual size in the middle of the view.
  addInTheMiddle() {
    const { x, y } = this.view.centre();
    const half = this.cellPx / 2;
    this.add([x - half, y - half, x + half, y + half]);
  }

  remove() {
    if (!this.selection.size) this.say(t("nothingSelected"));
    else this.send({ remove: [...this.selection].map((index) => this.cell(index)) }, false);
  }

  // Makes the selected cells, and the next one added, of a class; returns whether it exists.
  relabel(label) {
    if (label > store.classes.length) return false;
    this.label = label;
    const wrong = [...this.selection].filter((index) => this.cells.labels[index] !== label);
    if (wrong.length) {
      this.send({
        remove: wrong.map((index) => this.cell(index)),
        add: wrong.map((index) => this.cell(index, this.cells.boxes[index], label)),
      });
    } else announce();
    return true;
  }

  // Moves or resizes the selected cells.
  change(change) {
    const chosen = [...this.selection];
    const boxes = chosen.map((index) => this.clip(change(this.cells.boxes[index])));
    if (!chosen.length || !boxes.every(wide)) {
      this.stage.redraw();
      return;
    }
    this.send({
      remove: chosen.map((index) => this.cell(index)),
      add: chosen.map((index, place) => this.cell(index, boxes[place])),
    });
  }

  undo() {
    if (this.photograph?.can_undo) this.send({ kind: "undo" }, false);
  }

  redo() {
    if (this.photograph?.can_redo) this.send({ kind: "redo" }, false);
  }

  send(correction, selectAdded = true) {
    const { photograph } = this;
    const take = (added) => {
      if (this.photograph === photograph) this.afterCorrection(selectAdded ? added : 0);
    };
    send(photograph, correction, take, this.say);
  }

  afterCorrection(added) {
    this.cells.correct(this.photograph);
    const n = this.cells.boxes.length;
    this.selection = new Set(Array.from({ length: added }, (_, i) => n - added + i));
    this.recount();
    const { counted } = this.tallies().corrected;
    const counts = store.classes.map((one, i) => `${cellName(one.name)} ${number(counted[i])}`);
    this.say(t("saved", { counts: counts.join(", ") }));
  }

  // --- looking

  // Zooms on the selected cell, or on the middle.
  zoom(factor) {
    if (this.selection.size !== 1) {
      this.view.zoom(factor);
      return;
    }
    const [left, top, right, bottom] = this.view.toScreen(this.cells.boxes[[...this.selection][0]]);
    this.view.zoom(factor, { x: (left + right) / 2, y: (top + bottom) / 2 });
  }

  useTool(tool) {
    this.tool = tool;
    announce();
  }

  toggleBoxes() {
    this.showBoxes = !this.showBoxes;
    this.stage.redraw();
    this.moved();
    announce();
  }
}
