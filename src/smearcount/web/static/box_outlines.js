// Outlines of boxes, written straight into pixels: thousands of them as paths would block the page.

/** @import { Box, ClassRow } from "./api.js" */
/** @import { DrawnBox } from "./class_marks.js" */

import { dashOf, EXCLUDED_COLOR, SHAPE_FROM_PX } from "./class_marks.js";

const DOT_BELOW_PX = 5;
/** @type {[number, number]} */
const EXCLUDED_DASH = [3, 3];

// Colors as the four bytes of a pixel: alpha, blue, green, red.
const HALO = 0xbfffffff;
const WHITE = 0xffffffff;
const BLACK = 0xff111111;

export class BoxOutlines {
  constructor() {
    this.layer = document.createElement("canvas");
    this.context = context2d(this.layer, { willReadFrequently: true });
    this.width = 0;
    this.height = 0;
    this.picture = new ImageData(1, 1);
    this.pixels = new Uint32Array(1);
  }

  /**
   * @param {CanvasRenderingContext2D} context to draw on
   * @param {DrawnBox[]} boxes
   * @param {ClassRow[]} classes
   * @param {number} ratio device pixels per pixel of the screen
   */
  draw(context, boxes, classes, ratio) {
    this.clear(context.canvas);
    const colors = classes.map(({ color }) => pixelOf(color));
    for (const box of boxes) this.outline(box, colors, ratio);
    for (const { box, selected } of boxes) {
      if (!selected) continue;
      this.frame(grown(box, 5, ratio), 4, WHITE, ratio);
      this.frame(grown(box, 4, ratio), 2, BLACK, ratio);
    }
    this.context.putImageData(this.picture, 0, 0);
    context.save();
    context.resetTransform();
    context.drawImage(this.layer, 0, 0);
    context.restore();
  }

  /** @param {{ width: number, height: number }} size */
  clear({ width, height }) {
    if (width !== this.width || height !== this.height) {
      Object.assign(this, { width, height });
      Object.assign(this.layer, { width, height });
      this.picture = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.picture.data.buffer);
    } else this.pixels.fill(0);
  }

  /**
   * @param {DrawnBox} drawn
   * @param {number[]} colors of the classes
   * @param {number} ratio
   */
  outline({ box, label, counted }, colors, ratio) {
    const color = counted ? colors[label - 1] : EXCLUDED_PIXEL;
    const [wide, high] = [box[2] - box[0], box[3] - box[1]];
    if (Math.max(wide, high) < DOT_BELOW_PX) {
      const dot = grown(box, -Math.min(wide, high) / 4, ratio);
      this.frame(dot, Math.ceil((dot[3] - dot[1]) / 2), color, 1);
      return;
    }
    const dash = counted ? dashOf(label) : EXCLUDED_DASH;
    if (wide < SHAPE_FROM_PX) this.frame(grown(box, 0, ratio), 1, color, ratio, dash);
    else {
      this.frame(grown(box, 2, ratio), 4, HALO, ratio);
      this.frame(grown(box, 1, ratio), 2, color, ratio, dash);
    }
    if (!counted) this.cross(grown(box, 0, ratio), color);
  }

  /**
   * Draws a line along the inside of a rectangle.
   * @param {Box} box in device pixels
   * @param {number} thick in pixels of the screen
   * @param {number} color
   * @param {number} ratio
   * @param {[number, number]} dash how long the line is on and off, in pixels of the screen
   */
  frame([left, top, right, bottom], thick, color, ratio, [on, off] = [1, 0]) {
    // A box that the border cuts to a sliver is filled, never drawn beyond its own sides.
    const most = Math.ceil(Math.min(right - left, bottom - top) / 2);
    const lines = Math.min(Math.max(1, Math.round(thick * ratio)), most);
    const stroke = Math.max(1, Math.round(on * ratio));
    const period = stroke + Math.round(off * ratio);
    for (let inset = 0; inset < lines; inset += 1) {
      this.row(top + inset, left, right, color, stroke, period);
      this.row(bottom - 1 - inset, left, right, color, stroke, period);
      this.column(left + inset, top, bottom, color, stroke, period);
      this.column(right - 1 - inset, top, bottom, color, stroke, period);
    }
  }

  /**
   * @param {number} y
   * @param {number} from
   * @param {number} to
   * @param {number} color
   * @param {number} stroke of each period, the part that is drawn
   * @param {number} period
   */
  row(y, from, to, color, stroke, period) {
    if (y < 0 || y >= this.height) return;
    const { pixels, width } = this;
    const last = Math.min(to, width);
    if (stroke === period) {
      pixels.fill(color, y * width + Math.max(from, 0), y * width + Math.max(last, 0));
      return;
    }
    for (let x = Math.max(from, 0); x < last; x += 1) {
      if ((x - from) % period < stroke) pixels[y * width + x] = color;
    }
  }

  /**
   * @param {number} x
   * @param {number} from
   * @param {number} to
   * @param {number} color
   * @param {number} stroke of each period, the part that is drawn
   * @param {number} period
   */
  column(x, from, to, color, stroke, period) {
    if (x < 0 || x >= this.width) return;
    const { pixels, width } = this;
    const last = Math.min(to, this.height);
    if (stroke === period) {
      for (let y = Math.max(from, 0); y < last; y += 1) pixels[y * width + x] = color;
      return;
    }
    for (let y = Math.max(from, 0); y < last; y += 1) {
      if ((y - from) % period < stroke) pixels[y * width + x] = color;
    }
  }

  /**
   * Draws both diagonals of a box.
   * @param {Box} box in device pixels
   * @param {number} color
   */
  cross([left, top, right, bottom], color) {
    const slope = (bottom - top) / (right - left);
    for (let x = Math.max(left, 0); x < Math.min(right, this.width); x += 1) {
      const down = Math.round((x - left) * slope);
      this.column(x, top + down, top + down + 2, color, 1, 1);
      this.column(x, bottom - down - 2, bottom - down, color, 1, 1);
    }
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function context2d(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return context;
}

/**
 * Returns a box of the screen in whole device pixels, made larger by some pixels of the screen.
 * @param {Box} box
 * @param {number} more
 * @param {number} ratio
 * @returns {Box}
 */
const grown = ([left, top, right, bottom], more, ratio) => [
  Math.round((left - more) * ratio),
  Math.round((top - more) * ratio),
  Math.round((right + more) * ratio),
  Math.round((bottom + more) * ratio),
];

/**
 * Returns "#rrggbb" as an opaque pixel.
 * @param {string} color
 */
function pixelOf(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

const EXCLUDED_PIXEL = pixelOf(EXCLUDED_COLOR);
