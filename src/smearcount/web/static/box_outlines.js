// Outlines of boxes, written straight into pixels: thousands of them as paths would stop the hand.

import { GLYPH_FROM_PX, LEFT_OUT, dashOf } from "./class_marks.js";

const DOT_UP_TO_PX = 5;
const LEFT_OUT_DASH = [3, 3];

const HALO = 0xbfffffff;
const WHITE = 0xffffffff;
const BLACK = 0xff111111;

export class Outlines {
  constructor() {
    this.layer = document.createElement("canvas");
    this.pen = this.layer.getContext("2d", { willReadFrequently: true });
    this.width = 0;
    this.height = 0;
  }

  // Draws items {box, label, counted, chosen}, boxes on the screen; `ratio` is device pixels per
  // pixel of the screen.
  draw(pen, items, classes, ratio) {
    this.clear(pen.canvas);
    const inks = classes.map(({ color }) => inkOf(color));
    for (const item of items) this.outline(item, inks, ratio);
    for (const { box, chosen } of items) {
      if (!chosen) continue;
      this.frame(grown(box, 5, ratio), 4, WHITE, ratio);
      this.frame(grown(box, 4, ratio), 2, BLACK, ratio);
    }
    this.pen.putImageData(this.picture, 0, 0);
    pen.save();
    pen.resetTransform();
    pen.drawImage(this.layer, 0, 0);
    pen.restore();
  }

  clear({ width, height }) {
    if (width !== this.width || height !== this.height) {
      Object.assign(this, { width, height });
      Object.assign(this.layer, { width, height });
      this.picture = this.pen.createImageData(width, height);
      this.pixels = new Uint32Array(this.picture.data.buffer);
    } else this.pixels.fill(0);
  }

  outline({ box, label, counted }, inks, ratio) {
    const ink = counted ? inks[label - 1] : LEFT_OUT_INK;
    const wide = box[2] - box[0];
    if (wide < DOT_UP_TO_PX) {
      const dot = grown(box, -wide / 4, ratio);
      this.frame(dot, Math.ceil((dot[3] - dot[1]) / 2), ink, 1);
      return;
    }
    const dash = counted ? dashOf(label) : LEFT_OUT_DASH;
    if (wide < GLYPH_FROM_PX) this.frame(grown(box, 0, ratio), 1, ink, ratio);
    else {
      this.frame(grown(box, 2, ratio), 4, HALO, ratio);
      this.frame(grown(box, 1, ratio), 2, ink, ratio, dash);
    }
    if (!counted) this.cross(grown(box, 0, ratio), ink);
  }

  // A line of `thick` screen pixels along the inside of a rectangle, dashed as [on, off].
  frame([left, top, right, bottom], thick, ink, ratio, [on, off] = [1, 0]) {
    const lines = Math.max(1, Math.round(thick * ratio));
    const stroke = Math.max(1, Math.round(on * ratio));
    const period = stroke + Math.round((off ?? 0) * ratio);
    for (let inset = 0; inset < lines; inset += 1) {
      this.row(top + inset, left, right, ink, stroke, period);
      this.row(bottom - 1 - inset, left, right, ink, stroke, period);
      this.column(left + inset, top, bottom, ink, stroke, period);
      this.column(right - 1 - inset, top, bottom, ink, stroke, period);
    }
  }

  row(y, from, to, ink, stroke, period) {
    if (y < 0 || y >= this.height) return;
    const { pixels, width } = this;
    const last = Math.min(to, width);
    if (stroke === period) {
      pixels.fill(ink, y * width + Math.max(from, 0), y * width + Math.max(last, 0));
      return;
    }
    for (let x = Math.max(from, 0); x < last; x += 1) {
      if ((x - from) % period < stroke) pixels[y * width + x] = ink;
    }
  }

  column(x, from, to, ink, stroke, period) {
    if (x < 0 || x >= this.width) return;
    const { pixels, width } = this;
    const last = Math.min(to, this.height);
    if (stroke === period) {
      for (let y = Math.max(from, 0); y < last; y += 1) pixels[y * width + x] = ink;
      return;
    }
    for (let y = Math.max(from, 0); y < last; y += 1) {
      if ((y - from) % period < stroke) pixels[y * width + x] = ink;
    }
  }

  cross([left, top, right, bottom], ink) {
    const slope = (bottom - top) / (right - left);
    for (let x = Math.max(left, 0); x < Math.min(right, this.width); x += 1) {
      const down = Math.round((x - left) * slope);
      this.column(x, top + down, top + down + 2, ink, 1, 1);
      this.column(x, bottom - down - 2, bottom - down, ink, 1, 1);
    }
  }
}

// A box of the screen in whole device pixels, made larger by `more` pixels of the screen.
const grown = ([left, top, right, bottom], more, ratio) => [
  Math.round((left - more) * ratio),
  Math.round((top - more) * ratio),
  Math.round((right + more) * ratio),
  Math.round((bottom + more) * ratio),
];

// `#rrggbb` as the four bytes of an opaque pixel.
function inkOf(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

const LEFT_OUT_INK = inkOf(LEFT_OUT);
