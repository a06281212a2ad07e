// The open photograph: what is selected and shown, and the corrections made in it.

/** @import { Box, NamedCell, PhotographBody } from "./api.js" */
/** @import { Point } from "./boxes.js" */
/** @import { EditorState } from "./canvas.js" */
/** @import { MakeCorrection } from "./corrections.js" */
/** @import { Place } from "./viewport.js" */

import { api } from "./api.js";
import { clip, isLargeEnough } from "./boxes.js";
import { PhotographCanvas } from "./canvas.js";
import { describeBriefly, describeCell } from "./cell_description.js";
import { Cells, hasContent } from "./cells.js";
import { readCorrections, sendCorrection } from "./corrections.js";
import { Gestures } from "./gestures.js";
import { insideArea, neighborInOrder, readingOrder } from "./reading_order.js";
import { notify, putRow, session, thresholds } from "./session_state.js";
import { cellName, number, t } from "./translations.js";

// A cell is assumed to be this share of the image where no red cell tells the size.
const CELL_SHARE = 0.1;
const HOVER_DISTANCE_PX = 14;

/**
 * @typedef {object} EditorEvents
 * @property {(sentence: string) => void} showMessage
 * @property {() => void} onMove is called when something else is in view
 * @property {() => void} leave goes back to all photographs
 * @property {(direction: 1 | -1) => void} turn goes to the next or the previous photograph
 */

/** @typedef {"look" | "area" | "add"} Tool */

export class Editor {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} hoverBox shows a few words about the cell under the pointer
   * @param {EditorEvents} events
   */
  constructor(canvas, hoverBox, { showMessage, onMove, leave, turn }) {
    this.hoverBox = hoverBox;
    this.showMessage = showMessage;
    this.onMove = onMove;
    this.leave = leave;
    this.turn = turn;
    /** @type {Set<number>} */
    this.selection = new Set();
    this.choice = 0; // grows whenever the user selects something else
    /** @type {number | null} */
    this.lastVisited = null; // the cell from which N and P go on
    /** @type {Tool} */
    this.tool = "look";
    this.label = 0; // of the next cell added; 0 until a class is known
    this.showBoxes = true;
    /** @type {PhotographBody | null} */
    this.photograph = null;
    /** @type {Cells | null} */
    this.cells = null;
    /** @type {number[]} */
    this.shown = [];
    const getState = () => this.state();
    this.canvas = new PhotographCanvas(canvas, getState, onMove);
    this.viewport = this.canvas.viewport;
    this.gestures = new Gestures(this.canvas, getState, {
      select: (index, add) => this.select(index, add),
      selectArea: (area, add) => this.selectArea(area, add),
      add: (box) => this.add(box),
      change: (change) => this.change(change),
      hover: (index, at) => this.hover(index, at),
    });
  }

  /** @returns {EditorState} */
  state() {
    const { cells, shown, selection, showBoxes, tool, label } = this;
    const rule = session.settings.edge;
    return { cells, shown, rule, classes: session.classes, selection, showBoxes, tool, label };
  }

  /**
   * @param {string} id
   * @param {Place} [place]
   */
  async open(id, place) {
    const photograph = await api.photograph(id);
    this.photograph = photograph;
    this.cells = new Cells(photograph);
    this.selection = new Set();
    this.lastVisited = null;
    if (!session.classes[this.label - 1]) this.label = usualLabel();
    putRow(photograph.row);
    this.recount();
    this.gestures.forget();
    this.canvas.open(photograph, place);
  }

  close() {
    this.canvas.close();
    this.photograph = null;
    this.cells = null;
    this.shown = [];
    this.selection = new Set();
    this.hoverBox.hidden = true;
  }

  /** Finds the cells present anew, after settings or corrections changed. */
  recount() {
    if (!this.cells) return;
    this.shown = this.cells.present(thresholds());
    const present = new Set(this.shown);
    for (const index of this.selection) if (!present.has(index)) this.selection.delete(index);
    this.canvas.redraw();
  }

  /** @param {Cells} cells */
  tallies(cells) {
    const rule = session.settings.edge;
    return {
      automatic: cells.automaticTally(thresholds(), rule),
      corrected: cells.correctedTally(thresholds(), rule),
    };
  }

  /** Returns the usual width of a cell in image pixels. */
  get cellPx() {
    const { photograph } = this;
    if (!photograph) return 1;
    return photograph.rbc_diameter_px ?? Math.min(photograph.width, photograph.height) * CELL_SHARE;
  }

  // --- selection

  /**
   * @param {number | null} index
   * @param {boolean} add
   */
  select(index, add) {
    const selection = new Set(add ? this.selection : []);
    if (index !== null && !selection.delete(index)) selection.add(index);
    this.choose(selection, index);
  }

  /**
   * @param {Box} area
   * @param {boolean} add
   */
  selectArea(area, add) {
    if (!this.cells) return;
    const before = add ? this.selection : [];
    this.choose(new Set([...before, ...insideArea(area, this.shown, this.cells.boxes)]));
  }

  selectAll() {
    this.choose(new Set(this.shown));
  }

  /**
   * Goes to the next or the previous cell in reading order.
   * @param {1 | -1} direction
   */
  step(direction) {
    if (!this.cells || !this.shown.length) return;
    const { boxes } = this.cells;
    const from = [...this.selection].at(-1) ?? this.lastVisited;
    const order = readingOrder(this.shown, boxes, this.cellPx);
    const next = neighborInOrder(order, boxes, this.cellPx, from, direction);
    this.viewport.reveal(boxes[next]);
    this.choose(new Set([next]), next, order.indexOf(next) + 1);
  }

  /**
   * Selects what the user asked for.
   * @param {Set<number>} selection
   * @param {number | null} index the one cell that the user meant
   * @param {number} place of that cell, 1-based
   */
  choose(selection, index = null, place = this.shown.indexOf(index ?? -1) + 1) {
    this.selection = selection;
    if (selection.size) this.showBoxes = true; // nothing is selected unseen
    this.choice += 1;
    this.lastVisited = [...selection].at(-1) ?? this.lastVisited;
    this.canvas.redraw();
    if (this.cells && selection.size === 1 && index !== null && selection.has(index)) {
      this.showMessage(describeCell(this.cells, index, place, this.shown.length));
    } else if (selection.size) this.showMessage(t("selected", { n: number(selection.size) }));
    notify();
  }

  /**
   * @param {number | null} index
   * @param {Point} at on the screen
   */
  hover(index, at) {
    this.hoverBox.hidden = index === null || !this.cells || !this.showBoxes;
    if (index === null || !this.cells) return;
    this.hoverBox.textContent = describeBriefly(this.cells, index);
    this.hoverBox.style.left = `${at.x + HOVER_DISTANCE_PX}px`;
    this.hoverBox.style.top = `${at.y + HOVER_DISTANCE_PX}px`;
  }

  // --- corrections

  /**
   * Adds a cell, unless one was added by hand at the very place.
   * @param {Box} box
   */
  add(box) {
    const { cells, choice } = this;
    if (!cells) return;
    const clipped = clip(box, cells);
    if (!isLargeEnough(clipped)) return;
    const added = { box: clipped, label: className(this.label) };
    this.send(
      () => {
        if (!cells.hasAddedBox(clipped)) return { add: [added] };
        this.showMessage(t("alreadyAdded"));
        return null;
      },
      (indices) => {
        if (choice === this.choice) this.selection = new Set(indices);
      },
    );
  }

  /** Adds a cell of the usual size in the middle of the view. */
  addInTheMiddle() {
    const { x, y } = this.viewport.center();
    const half = this.cellPx / 2;
    this.add([x - half, y - half, x + half, y + half]);
  }

  /** Removes the selected cells. */
  remove() {
    const { cells } = this;
    const targets = [...this.selection];
    if (!cells || !targets.length) {
      this.showMessage(t("nothingSelected"));
      return;
    }
    this.send(() => {
      const present = cells.currentOf(targets);
      return present.length ? { remove: present.map((index) => namedCell(cells, index)) } : null;
    });
  }

  /**
   * Gives the selected cells another class. While cells are being added, and where none is
   * selected, the next cell gets it.
   * @param {number} label
   * @returns {boolean} whether there is such a class
   */
  chooseClass(label) {
    if (label > session.classes.length) return false;
    if (this.tool === "add" || !this.selection.size) this.label = label;
    else this.replace((cells, index) => ({ box: cells.boxes[index], label }));
    notify();
    return true;
  }

  /**
   * Moves or resizes the selected cells.
   * @param {(box: Box) => Box} change
   */
  change(change) {
    this.replace((cells, index) => ({
      box: clip(change(cells.boxes[index]), cells),
      label: cells.labels[index],
    }));
    this.canvas.redraw();
  }

  /**
   * Replaces each selected cell.
   * @param {(cells: Cells, index: number) => { box: Box, label: number }} next
   */
  replace(next) {
    const { cells } = this;
    const targets = [...this.selection];
    if (!cells || !targets.length) return;
    /** @type {number[]} */
    let replaced = [];
    const make = () => {
      const changes = cells
        .currentOf(targets)
        .map((index) => ({ index, after: next(cells, index) }))
        .filter(({ index, after }) => !hasContent(cells, index, after));
      if (!changes.length || !changes.every(({ after }) => isLargeEnough(after.box))) return null;
      replaced = changes.map(({ index }) => index);
      return {
        remove: replaced.map((index) => namedCell(cells, index)),
        add: changes.map(({ after }) => ({ box: after.box, label: className(after.label) })),
      };
    };
    this.send(make, (added) => {
      for (const [place, index] of added.entries()) cells.replace(replaced[place], index);
    });
  }

  undo() {
    this.send((photograph) => (photograph.can_undo ? { kind: "undo" } : null));
  }

  redo() {
    this.send((photograph) => (photograph.can_redo ? { kind: "redo" } : null));
  }

  /**
   * Queues a correction. When its turn comes, the selection may be another: `make` and `onAdded`
   * must keep to the cells that the user meant.
   * @param {(photograph: PhotographBody) => ReturnType<MakeCorrection>} make
   * @param {(added: number[]) => void} [onAdded] gets the indices of the cells added
   */
  send(make, onAdded) {
    const { photograph, cells } = this;
    if (!photograph || !cells) return;
    /** @param {number} n how many cells were added */
    const onAnswer = (n) => {
      const standing = cells.update(photograph);
      if (n) onAdded?.(standing.slice(-n));
      if (this.cells === cells) this.afterCorrection(cells);
      if (this.cells === cells) this.showSaved(cells);
    };
    sendCorrection(photograph, () => make(photograph), onAnswer, this.showMessage);
  }

  /**
   * Keeps the selection with its cells, whatever the user selected since the correction was sent.
   * @param {Cells} cells
   */
  afterCorrection(cells) {
    this.selection = new Set(cells.currentOf(this.selection));
    if (this.lastVisited !== null) {
      this.lastVisited = cells.current(this.lastVisited) ?? this.lastVisited;
    }
    this.recount();
  }

  /** Takes over corrections that were made in another window. */
  readCorrections() {
    const { photograph, cells } = this;
    if (!photograph || !cells) return;
    readCorrections(photograph, () => {
      cells.update(photograph);
      if (this.cells === cells) this.afterCorrection(cells);
    });
  }

  /** @param {Cells} cells */
  showSaved(cells) {
    const { counted } = this.tallies(cells).corrected;
    const counts = session.classes.map((one, i) => `${cellName(one.name)} ${number(counted[i])}`);
    this.showMessage(t("saved", { counts: counts.join(", ") }));
  }

  // --- view

  /**
   * Zooms on the selected cell, or on the middle.
   * @param {number} factor
   */
  zoom(factor) {
    const [index] = this.selection;
    if (!this.cells || this.selection.size !== 1) {
      this.viewport.zoom(factor);
      return;
    }
    const [left, top, right, bottom] = this.viewport.toScreen(this.cells.boxes[index]);
    this.viewport.zoom(factor, { x: (left + right) / 2, y: (top + bottom) / 2 });
  }

  /** @param {Tool} tool */
  useTool(tool) {
    this.tool = tool;
    notify();
  }

  /** Gives up, one thing at a time: the gesture, the tool, the selection, the photograph. */
  escape() {
    if (this.gestures.cancel()) return;
    if (this.tool !== "look") this.useTool("look");
    else if (this.selection.size) this.select(null, false);
    else this.leave();
  }

  toggleBoxes() {
    this.showBoxes = !this.showBoxes;
    if (!this.showBoxes) this.selection = new Set();
    this.canvas.redraw();
    this.onMove();
    notify();
  }
}

/** Returns the label of red cells, or the first where the model knows none. */
const usualLabel = () =>
  Math.max(
    session.classes.findIndex((one) => one.name === "RBC"),
    0,
  ) + 1;

/** @param {number} label */
const className = (label) => session.classes[label - 1].name;

/**
 * @param {Cells} cells
 * @param {number} index
 * @returns {NamedCell}
 */
const namedCell = (cells, index) => ({
  box: cells.boxes[index],
  label: className(cells.labels[index]),
});
