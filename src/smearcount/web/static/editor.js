// The open photograph and everything done to it: what is selected, shown and corrected.

import { annotatedOf, api } from "./api.js";
import { wide } from "./boxes.js";
import { Cells } from "./cells.js";
import { send } from "./corrections.js";
import { brief, spoken } from "./cell_description.js";
import { Gestures } from "./gestures.js";
import { inside, neighborInOrder, readingOrder } from "./reading_order.js";
import { Stage } from "./canvas.js";
import { announce, putRow, store, thresholds } from "./session_state.js";
import { cellName, number, t } from "./translations.js";

const GUESSED_CELL = 0.1;
const HOVER_PX = 14;

export class Editor {
  // `say` speaks to the user; `moved` hears when something else is to be seen; `leave` and `turn` navigate.
  constructor(canvas, hoverBox, { say, moved, leave, turn }) {
    Object.assign(this, { hoverBox, say, moved, leave, turn });
    this.selection = new Set();
    this.choice = 0; // grows whenever the user selects something else
    this.lastVisited = null; // the cell from which N and P go on
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
    this.lastVisited = null;
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
    const chosen = new Set(add ? this.selection : []);
    if (index !== null && !chosen.delete(index)) chosen.add(index);
    this.choose(chosen, index);
  }

  selectArea(box, add) {
    const before = add ? this.selection : [];
    this.choose(new Set([...before, ...inside(box, this.shown, this.cells.boxes)]));
  }

  selectAll() {
    this.choose(new Set(this.shown));
  }

  // Goes to the next or the previous cell in reading order.
  step(direction) {
    if (!this.shown.length) return;
    const { boxes } = this.cells;
    const from = [...this.selection].at(-1) ?? this.lastVisited;
    const order = readingOrder(this.shown, boxes, this.cellPx);
    const next = neighborInOrder(order, boxes, this.cellPx, from, direction);
    this.view.reveal(boxes[next]);
    this.choose(new Set([next]), next, order.indexOf(next) + 1);
  }

  // Selects what the user asked for; `index` is the one cell meant, `place` its number in order.
  choose(selection, index = null, place = this.shown.indexOf(index) + 1) {
    this.selection = selection;
    this.choice += 1;
    this.lastVisited = [...selection].at(-1) ?? this.lastVisited;
    this.stage.redraw();
    if (selection.size === 1 && index !== null) {
      this.say(spoken(this.cells, index, place, this.shown.length));
    } else if (selection.size) this.say(t("selected", { n: number(selection.size) }));
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

  add(box) {
    const clipped = clip(box, this.cells);
    if (!wide(clipped)) return;
    const { choice } = this;
    const added = { box: clipped, label: store.classes[this.label - 1].name };
    this.send(
      () => ({ add: [added] }),
      (indices) => {
        if (choice === this.choice) this.selection = new Set(indices);
      },
    );
  }

  // A cell of the usual size in the middle of the view.
  addInTheMiddle() {
    const { x, y } = this.view.center();
    const half = this.cellPx / 2;
    this.add([x - half, y - half, x + half, y + half]);
  }

  remove() {
    if (!this.selection.size) {
      this.say(t("nothingSelected"));
      return;
    }
    const { cells } = this;
    const targets = [...this.selection];
    this.send(() => {
      const present = cells.currentOf(targets);
      return present.length ? { remove: present.map((index) => cellOf(cells, index)) } : null;
    });
  }

  // Makes the selected cells, and the next one added, of a class; returns whether it exists.
  relabel(label) {
    if (label > store.classes.length) return false;
    this.label = label;
    this.replace((cells, index) => ({ box: cells.boxes[index], label }));
    announce();
    return true;
  }

  // Moves or resizes the selected cells.
  change(change) {
    this.replace((cells, index) => ({
      box: clip(change(cells.boxes[index]), cells),
      label: cells.labels[index],
    }));
    this.stage.redraw();
  }

  // Replaces each selected cell by what `next` makes of it, {box, label}.
  replace(next) {
    const { cells } = this;
    const targets = [...this.selection];
    let replaced = [];
    const make = () => {
      const present = cells.currentOf(targets);
      const after = new Map(present.map((index) => [index, next(cells, index)]));
      if (![...after.values()].every(({ box }) => wide(box))) return null;
      replaced = present.filter((index) => !sameAs(cells, index, after.get(index)));
      if (!replaced.length) return null;
      return {
        remove: replaced.map((index) => cellOf(cells, index)),
        add: replaced.map((index) => ({ ...after.get(index), label: className(after.get(index).label) })),
      };
    };
    this.send(make, (added) => {
      for (const [place, index] of added.entries()) cells.replace(replaced[place], index);
    });
  }

  undo() {
    const { photograph } = this;
    this.send(() => (photograph.can_undo ? { kind: "undo" } : null));
  }

  redo() {
    const { photograph } = this;
    this.send(() => (photograph.can_redo ? { kind: "redo" } : null));
  }

  // Queues a correction, which `make` returns when its turn comes. By then the selection may be
  // another: `make` and `done`, which gets the indices of the cells added, keep to the cells that
  // were meant.
  send(make, done = () => {}) {
    const { photograph, cells } = this;
    if (!photograph) return;
    const take = (n) => {
      const standing = cells.update(photograph);
      if (n) done(standing.slice(-n));
      if (this.cells === cells) this.afterCorrection();
    };
    send(photograph, make, take, this.say);
  }

  // The selection stays with its cells, whatever the user selected since the correction was sent.
  afterCorrection() {
    this.selection = new Set(this.cells.currentOf(this.selection));
    if (this.lastVisited !== null) this.lastVisited = this.cells.current(this.lastVisited) ?? this.lastVisited;
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

const className = (label) => store.classes[label - 1].name;
const cellOf = (cells, index) => ({ box: cells.boxes[index], label: className(cells.labels[index]) });

const sameAs = (cells, index, { box, label }) =>
  label === cells.labels[index] && box.every((edge, side) => edge === cells.boxes[index][side]);

const clip = ([left, top, right, bottom], { width, height }) => [
  Math.max(left, 0),
  Math.max(top, 0),
  Math.min(right, width),
  Math.min(bottom, height),
];
