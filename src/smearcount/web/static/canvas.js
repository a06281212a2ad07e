// The canvas: tiles of the photograph, boxes around its cells, and the gesture going on.

/** @import { Box, ClassRow, EdgeRule, PhotographBody } from "./api.js" */
/** @import { Gesture, Point } from "./boxes.js" */
/** @import { Cells } from "./cells.js" */
/** @import { DrawnBox } from "./class_marks.js" */
/** @import { Place } from "./viewport.js" */

import { BoxOutlines, context2d } from "./box_outlines.js";
import { boxBetween, changedBy, handles } from "./boxes.js";
import { drawShapes, EXCLUDED_COLOR } from "./class_marks.js";
import { Tiles } from "./tiles.js";
import { Viewport } from "./viewport.js";

/**
 * What is to be drawn.
 * @typedef {object} EditorState
 * @property {Cells | null} cells
 * @property {number[]} shown indices of the cells present
 * @property {EdgeRule} rule
 * @property {ClassRow[]} classes
 * @property {Set<number>} selection
 * @property {boolean} showBoxes
 * @property {string} tool
 * @property {number} label of the next cell added
 */

const EDGE_PX = 2;

/**
 * Returns line segments as one path.
 * @param {Box[]} segments
 */
function pathOf(segments) {
  const path = new Path2D();
  for (const [x0, y0, x1, y1] of segments) {
    path.moveTo(x0, y0);
    path.lineTo(x1, y1);
  }
  return path;
}

export class PhotographCanvas {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => EditorState} getState
   * @param {() => void} onMove is called when the view changes
   */
  constructor(canvas, getState, onMove) {
    this.canvas = canvas;
    this.context = context2d(canvas);
    this.getState = getState;
    this.outlines = new BoxOutlines();
    this.viewport = new Viewport(() => {
      this.redraw();
      onMove();
    });
    /** @type {Gesture | null} */
    this.gesture = null;
    this.isFrameAsked = false;
    /** @type {Tiles | undefined} */
    this.tiles = undefined;
    this.edge = new Path2D(); // of the field of view, in image pixels
    this.frame = /** @type {HTMLElement} */ (canvas.parentElement);
    new ResizeObserver(() => this.resize()).observe(this.frame);
  }

  /**
   * @param {PhotographBody} photograph
   * @param {Place} [place]
   */
  open(photograph, place) {
    this.close();
    this.tiles = new Tiles(photograph, () => this.redraw());
    this.edge = pathOf(photograph.field_of_view?.edge ?? []);
    this.resize();
    this.viewport.show(photograph, place);
  }

  close() {
    this.tiles?.close();
    this.tiles = undefined;
    this.gesture = null;
  }

  resize() {
    const { clientWidth, clientHeight } = this.frame;
    if (!clientWidth || !clientHeight) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.viewport.resize(clientWidth, clientHeight);
    this.redraw();
  }

  /** Paints in the next frame, once however often it is asked for. */
  redraw() {
    if (this.isFrameAsked) return;
    this.isFrameAsked = true;
    requestAnimationFrame(() => {
      this.isFrameAsked = false;
      this.paint();
    });
  }

  paint() {
    const { context, viewport, tiles } = this;
    if (!tiles) return;
    const ratio = window.devicePixelRatio || 1;
    const state = this.getState();
    context.resetTransform();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    tiles.draw(context, viewport, ratio);
    this.paintEdge(ratio);
    this.frame.dataset.fitted = String(viewport.fitted);
    const boxes = this.boxesInView(state);
    this.outlines.draw(context, boxes, state.classes, ratio);
    drawShapes(context, boxes, state.classes);
    const selected = boxes.filter((drawn) => drawn.selected);
    if (selected.length === 1)
      for (const handle of handles(selected[0].box)) this.paintHandle(handle);
    if (this.gesture?.kind === "area") this.paintArea(this.gesture);
  }

  /**
   * Paints a gray line around what shows no smear and is left out.
   * @param {number} ratio device pixels per pixel of the screen
   */
  paintEdge(ratio) {
    const { context, viewport } = this;
    const scale = viewport.scale * ratio;
    context.save();
    context.setTransform(scale, 0, 0, scale, -viewport.left * scale, -viewport.top * scale);
    context.strokeStyle = EXCLUDED_COLOR;
    context.lineWidth = EDGE_PX / viewport.scale;
    context.stroke(this.edge);
    context.restore();
  }

  /**
   * Returns the boxes in view, as the gesture going on would leave them.
   * @param {EditorState} state
   */
  boxesInView({ cells, shown, rule, selection, showBoxes, label }) {
    const { viewport, gesture } = this;
    /** @type {DrawnBox[]} */
    const boxes = [];
    for (const index of showBoxes && cells ? shown : []) {
      if (!cells) break;
      const selected = selection.has(index);
      const inImage = cells.boxes[index];
      const box = viewport.toScreen(selected ? changedBy(gesture, inImage) : inImage);
      if (!viewport.shows(box)) continue;
      const counted = cells.isCounted(index, rule);
      const byHand = cells.isAddedByHand(index);
      boxes.push({ box, label: cells.labels[index], counted, byHand, selected });
    }
    if (gesture?.kind === "draw") {
      const box = viewport.toScreen(boxBetween(gesture.from, gesture.to));
      boxes.push({ box, label, counted: true });
    }
    return boxes;
  }

  /** @param {Point} corner */
  paintHandle({ x, y }) {
    const { context } = this;
    context.fillStyle = "#fff";
    context.strokeStyle = "#111";
    context.lineWidth = 1.5;
    context.fillRect(x - 4, y - 4, 8, 8);
    context.strokeRect(x - 4, y - 4, 8, 8);
  }

  /** @param {Gesture} gesture */
  paintArea({ from, to }) {
    const { context } = this;
    const [left, top, right, bottom] = this.viewport.toScreen(boxBetween(from, to));
    context.fillStyle = "rgba(20, 60, 120, 0.15)";
    context.strokeStyle = "#123c78";
    context.lineWidth = 1.5;
    context.fillRect(left, top, right - left, bottom - top);
    context.strokeRect(left, top, right - left, bottom - top);
  }

  /**
   * Returns the smallest box under a point, so that a cell inside another can be selected.
   * @param {Point} point of the screen
   */
  cellAt(point) {
    const { cells, shown, showBoxes } = this.getState();
    if (!showBoxes) return null;
    const { x, y } = this.viewport.toImage(point);
    let best = null;
    let least = Number.POSITIVE_INFINITY;
    for (const index of cells ? shown : []) {
      const [left, top, right, bottom] = /** @type {Cells} */ (cells).boxes[index];
      const area = (right - left) * (bottom - top);
      if (x >= left && x <= right && y >= top && y <= bottom && area < least) {
        best = index;
        least = area;
      }
    }
    return best;
  }
}
