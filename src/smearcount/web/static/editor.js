// The open photograph and everything done to it: selection, corrections, keys.

import { annotatedOf, api } from "./api.js";
import { Cells } from "./cells.js";
import { announce, putRow, refresh, store, thresholds } from "./store.js";
import { cellName, number, t } from "./text.js";
import { Viewer, wide } from "./viewer.js";

const PAN_PX = 60;
const ZOOM = 1.3;
const GUESSED_CELL = 0.1;

export class Editor {
  // `say` speaks to the user; `moved` hears when the view changes; `leave` and `turn` navigate.
  constructor(canvas, { say, moved, leave, turn }) {
    Object.assign(this, { say, moved, leave, turn });
    this.selection = new Set();
    this.tool = "look";
    this.label = 1;
    this.showBoxes = true;
    this.photograph = null;
    this.cells = null;
    this.shown = [];
    this.queue = Promise.resolve();
    this.nudge = null;
    this.viewer = new Viewer(canvas, () => this.state(), {
      select: (index, add) => this.select(index, add),
      area: (box, add) => this.selectArea(box, add),
      draw: (box) => this.add(box),
      change: (change) => this.change(change),
      hover: (index, at) => this.hover(index, at),
      moved: () => this.moved(),
    });
    this.hoverBox = document.getElementById("hover");
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
    this.viewer.open(photograph, place);
  }

  close() {
    this.viewer.close();
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
    this.viewer.redraw();
  }

  tallies() {
    const rule = store.settings.edge;
    const classes = store.classes.length;
    return {
      automatic: this.cells.automaticTally(thresholds(), rule, classes),
      corrected: this.cells.tally(thresholds(), rule, classes),
    };
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

  selectArea([left, top, right, bottom], add) {
    if (!add) this.selection.clear();
    for (const index of this.shown) {
      const [x0, y0, x1, y1] = this.cells.boxes[index];
      const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
      if (x >= left && x <= right && y >= top && y <= bottom) this.selection.add(index);
    }
    this.afterSelection(null);
  }

  selectAll() {
    this.selection = new Set(this.shown);
    this.afterSelection(null);
  }

  // Goes through the cells in reading order.
  step(direction) {
    if (!this.shown.length) return;
    const row = this.photograph.rbc_diameter_px ?? this.cells.height * GUESSED_CELL;
    const key = (index) => {
      const [x0, y0, x1, y1] = this.cells.boxes[index];
      return [Math.floor((y0 + y1) / 2 / row), x0 + x1];
    };
    const order = [...this.shown].sort((a, b) => {
      const [first, second] = [key(a), key(b)];
      return first[0] - second[0] || first[1] - second[1];
    });
    const at = order.indexOf([...this.selection].at(-1));
    const next = at < 0 ? (direction > 0 ? 0 : order.length - 1) : (at + direction + order.length) % order.length;
    this.selection = new Set([order[next]]);
    this.viewer.reveal(this.cells.boxes[order[next]]);
    this.afterSelection(order[next], next + 1);
  }

  afterSelection(index, place) {
    this.viewer.redraw();
    if (this.selection.size === 1 && index !== null) {
      this.say(this.describe(index, place ?? this.shown.indexOf(index) + 1));
    } else if (this.selection.size) this.say(t("selected", { n: number(this.selection.size) }));
    announce();
  }

  describe(index, place) {
    const name = cellName(store.classes[this.cells.labels[index] - 1].name);
    const score = this.cells.scores[index]?.toFixed(2);
    const n = number(this.shown.length);
    const key = this.cells.byHand(index) ? "byHand" : "described";
    const left = this.cells.counted(index, store.settings.edge) ? "" : ` (${t("leftOut")})`;
    return t(key, { name, score, place: number(place), n }) + left;
  }

  hover(index, at) {
    this.hoverBox.hidden = index === null || !this.showBoxes;
    if (this.hoverBox.hidden) return;
    const name = cellName(store.classes[this.cells.labels[index] - 1].name);
    const score = this.cells.byHand(index) ? "✎" : this.cells.scores[index].toFixed(2);
    const left = this.cells.counted(index, store.settings.edge) ? "" : ` · ${t("leftOut")}`;
    this.hoverBox.textContent = `${name} ${score}${left}`;
    this.hoverBox.style.left = `${at.x + 14}px`;
    this.hoverBox.style.top = `${at.y + 14}px`;
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
    const inside = this.clip(box);
    if (!wide(inside)) return;
    this.send({ add: [{ box: inside, label: store.classes[this.label - 1].name }] });
  }

  // A cell of the usual size in the middle of the view.
  addInTheMiddle() {
    const { x, y } = this.viewer.centre();
    const side = this.photograph.rbc_diameter_px ?? Math.min(this.cells.width, this.cells.height) * GUESSED_CELL;
    this.add([x - side / 2, y - side / 2, x + side / 2, y + side / 2]);
  }

  remove() {
    if (!this.selection.size) this.say(t("nothingSelected"));
    else this.send({ remove: [...this.selection].map((index) => this.cell(index)) }, false);
  }

  relabel(label) {
    this.label = label;
    const wrong = [...this.selection].filter((index) => this.cells.labels[index] !== label);
    if (wrong.length) {
      this.send({
        remove: wrong.map((index) => this.cell(index)),
        add: wrong.map((index) => this.cell(index, this.cells.boxes[index], label)),
      });
    } else announce();
  }

  // Moves or resizes the selected cells.
  change(change) {
    const chosen = [...this.selection];
    const boxes = chosen.map((index) => this.clip(change(this.cells.boxes[index])));
    if (!chosen.length || !boxes.every(wide)) return;
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

  // One correction after the other; what is shown is what the server has on its disk.
  send(correction, keepAdded = true) {
    const photograph = this.photograph;
    this.queue = this.queue.then(() => this.sendNow(photograph, correction, keepAdded));
    return this.queue;
  }

  async sendNow(photograph, correction, keepAdded) {
    const id = photograph.row.id;
    const body = { after: photograph.journal, kind: "edit", remove: [], add: [], ...correction };
    try {
      const answer = await api.correct(id, body);
      this.take(photograph, answer);
      if (this.photograph === photograph) {
        const added = keepAdded ? body.add.length : 0;
        const last = this.cells.boxes.length;
        this.selection = new Set(Array.from({ length: added }, (_, i) => last - added + i));
        this.recount();
        this.say(t("saved", { counts: this.spokenCounts() }));
      }
    } catch (error) {
      if (error.status === 409) {
        this.take(photograph, await api.photograph(id));
        this.say(t("outdated"));
      } else this.say(error.message);
    }
    announce();
    refresh();
  }

  take(photograph, answer) {
    putRow(answer.row);
    const { removed, added, journal, can_undo, can_redo, row } = answer;
    Object.assign(photograph, { removed, added, journal, can_undo, can_redo, row });
    if (this.photograph === photograph) {
      this.cells.correct(answer);
      this.recount();
    }
  }

  spokenCounts() {
    const { counted } = this.tallies().corrected;
    return store.classes.map((one, i) => `${cellName(one.name)} ${number(counted[i])}`).join(", ");
  }

  annotatedAddress() {
    return annotatedOf(this.photograph.row.id);
  }

  // --- keys

  // Returns true if the key meant something.
  key(event) {
    if (!this.photograph || event.altKey) return false;
    const command = event.ctrlKey || event.metaKey;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (command) return this.commandKey(name, event.shiftKey);
    if (/^[1-9]$/.test(name) && Number(name) <= store.classes.length) {
      this.relabel(Number(name));
      return true;
    }
    if (name.startsWith("Arrow")) return this.arrow(name, event.shiftKey);
    const { viewer } = this;
    const actions = {
      n: () => this.step(1),
      p: () => this.step(-1),
      a: () => this.addInTheMiddle(),
      Delete: () => this.remove(),
      Backspace: () => this.remove(),
      "+": () => this.zoom(ZOOM),
      "=": () => this.zoom(ZOOM),
      "-": () => this.zoom(1 / ZOOM),
      0: () => viewer.fit(),
      l: () => this.useTool("look"),
      s: () => this.useTool("area"),
      d: () => this.useTool("add"),
      b: () => this.toggleBoxes(),
      PageDown: () => this.turn(1),
      PageUp: () => this.turn(-1),
      Escape: () => (this.selection.size ? this.select(null, false) : this.leave()),
    };
    actions[name]?.();
    return name in actions;
  }

  commandKey(name, shift) {
    if (name === "z") (shift ? this.redo : this.undo).call(this);
    else if (name === "y") this.redo();
    else if (name === "a") this.selectAll();
    else return false;
    return true;
  }

  arrow(name, grow) {
    const dx = { ArrowLeft: -1, ArrowRight: 1 }[name] ?? 0;
    const dy = { ArrowUp: -1, ArrowDown: 1 }[name] ?? 0;
    if (!this.selection.size) {
      this.viewer.pan(-dx * PAN_PX, -dy * PAN_PX);
      return true;
    }
    // Several presses in a row are one correction, sent when the key is let go.
    this.nudge ??= { dx: 0, dy: 0, grow };
    this.nudge.dx += dx;
    this.nudge.dy += dy;
    const { nudge, viewer } = this;
    viewer.gesture = {
      kind: grow ? "resize" : "move",
      sides: [0, 0, 1, 1],
      from: { x: 0, y: 0 },
      to: { x: nudge.dx, y: nudge.dy },
    };
    viewer.redraw();
    return true;
  }

  keyUp(event) {
    if (!this.nudge || !event.key.startsWith("Arrow")) return;
    const { dx, dy, grow } = this.nudge;
    this.nudge = null;
    this.viewer.gesture = null;
    this.change(([left, top, right, bottom]) =>
      grow ? [left, top, right + dx, bottom + dy] : [left + dx, top + dy, right + dx, bottom + dy],
    );
  }

  // Zooms on the selected cell, or on the middle.
  zoom(factor) {
    if (this.selection.size === 1) {
      const [x, y, w, h] = this.viewer.toScreen(this.cells.boxes[[...this.selection][0]]);
      this.viewer.zoom(factor, { x: x + w / 2, y: y + h / 2 });
    } else this.viewer.zoom(factor);
  }

  useTool(tool) {
    this.tool = tool;
    announce();
  }

  toggleBoxes() {
    this.showBoxes = !this.showBoxes;
    this.viewer.redraw();
    announce();
  }
}
