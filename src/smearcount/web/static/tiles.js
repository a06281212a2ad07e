// The tiles of one photograph: fetched when they come into view, forgotten when long unused.

import { tileOf } from "./api.js";

const KEPT = 160;

export class Tiles {
  constructor(photograph, redraw) {
    this.id = photograph.row.id;
    this.width = photograph.width;
    this.height = photograph.height;
    this.levels = photograph.levels;
    this.side = photograph.tile_side;
    this.redraw = redraw;
    this.cache = new Map();
    this.pending = new Set();
    this.closed = false;
  }

  close() {
    this.closed = true;
    for (const picture of this.cache.values()) picture.close();
    this.cache.clear();
  }

  // Draws the part of the image in view; `scale` is screen pixels per image pixel.
  draw(pen, view, deviceRatio) {
    const wanted = Math.floor(Math.log2(1 / (view.scale * deviceRatio)) + 1e-6);
    const level = Math.min(Math.max(wanted, 0), this.levels - 1);
    pen.imageSmoothingEnabled = view.scale < 3;
    const missing = [];
    for (const place of this.placesInView(level, view)) {
      if (!this.ready(place)) missing.push(place);
    }
    // Coarser tiles lie below those that are still on their way.
    if (missing.length) {
      for (let coarse = this.levels - 1; coarse > level; coarse -= 1) {
        for (const place of this.placesInView(coarse, view)) {
          if (this.ready(place)) this.paint(pen, place, view);
          else if (coarse === this.levels - 1) this.fetch(place);
        }
      }
    }
    for (const place of this.placesInView(level, view)) {
      if (this.ready(place)) this.paint(pen, place, view);
    }
    for (const place of missing) this.fetch(place);
  }

  *placesInView(level, view) {
    const step = this.side * 2 ** level;
    const columns = Math.ceil(Math.ceil(this.width / 2 ** level) / this.side);
    const rows = Math.ceil(Math.ceil(this.height / 2 ** level) / this.side);
    const right = view.left + view.width / view.scale;
    const bottom = view.top + view.height / view.scale;
    for (let row = Math.max(0, Math.floor(view.top / step)); row < rows && row * step < bottom; row += 1) {
      for (let column = Math.max(0, Math.floor(view.left / step)); column < columns && column * step < right; column += 1) {
        yield { level, column, row, key: `${level}/${column}_${row}` };
      }
    }
  }

  ready({ key }) {
    return this.cache.has(key);
  }

  paint(pen, { level, column, row, key }, view) {
    const picture = this.cache.get(key);
    this.cache.delete(key);
    this.cache.set(key, picture);
    const factor = 2 ** level;
    const step = this.side * factor;
    const x = (column * step - view.left) * view.scale;
    const y = (row * step - view.top) * view.scale;
    const width = Math.min(picture.width * factor, this.width - column * step);
    const height = Math.min(picture.height * factor, this.height - row * step);
    pen.drawImage(picture, x, y, width * view.scale, height * view.scale);
  }

  async fetch({ level, column, row, key }) {
    if (this.pending.has(key)) return;
    this.pending.add(key);
    try {
      const answer = await fetch(tileOf(this.id, level, column, row));
      if (!answer.ok) return;
      const picture = await createImageBitmap(await answer.blob());
      if (this.closed) return;
      this.cache.set(key, picture);
      for (const [oldest, unused] of this.cache) {
        if (this.cache.size <= KEPT) break;
        this.cache.delete(oldest);
        unused.close();
      }
      this.redraw();
    } catch {
      // Shown again, it is asked for again.
    } finally {
      this.pending.delete(key);
    }
  }
}
