// The tiles of one photograph: fetched when they come into view, forgotten when long unused.

/** @import { PhotographBody } from "./api.js" */
/** @import { Viewport } from "./viewport.js" */

import { tileUrl } from "./api.js";

const TILES_KEPT = 160;

/** @typedef {{ level: number, column: number, row: number, key: string }} TilePlace */
/** @typedef {Pick<Viewport, "left" | "top" | "width" | "height" | "scale">} VisiblePart */

export class Tiles {
  /**
   * @param {Pick<PhotographBody, "row" | "width" | "height" | "levels" | "tile_side">} photograph
   * @param {() => void} onTile is called when a tile came
   */
  constructor(photograph, onTile) {
    this.id = photograph.row.id;
    this.width = photograph.width;
    this.height = photograph.height;
    this.levels = photograph.levels;
    this.side = photograph.tile_side;
    this.onTile = onTile;
    /** @type {Map<string, ImageBitmap>} */
    this.cache = new Map();
    /** @type {Set<string>} */
    this.pending = new Set();
    this.closed = false;
  }

  close() {
    this.closed = true;
    for (const picture of this.cache.values()) picture.close();
    this.cache.clear();
  }

  /**
   * Returns the level of the pyramid whose pixels are about as large as those of the screen.
   * @param {number} scale screen pixels per image pixel
   * @param {number} deviceRatio device pixels per screen pixel
   */
  levelFor(scale, deviceRatio) {
    const wanted = Math.floor(Math.log2(1 / (scale * deviceRatio)) + 1e-6);
    return Math.min(Math.max(wanted, 0), this.levels - 1);
  }

  /**
   * Draws the part of the image in view.
   * @param {CanvasRenderingContext2D} context
   * @param {VisiblePart} view
   * @param {number} deviceRatio
   */
  draw(context, view, deviceRatio) {
    const level = this.levelFor(view.scale, deviceRatio);
    context.imageSmoothingEnabled = view.scale < 3;
    const inView = [...this.placesInView(level, view)];
    const missing = inView.filter((place) => !this.isReady(place));
    // Coarser tiles lie below those that have not come yet.
    if (missing.length) {
      for (let coarse = this.levels - 1; coarse > level; coarse -= 1) {
        for (const place of this.placesInView(coarse, view)) {
          if (this.isReady(place)) this.paint(context, place, view, deviceRatio);
          else if (coarse === this.levels - 1) this.fetch(place);
        }
      }
    }
    for (const place of inView) {
      if (this.isReady(place)) this.paint(context, place, view, deviceRatio);
    }
    for (const place of missing) this.fetch(place);
  }

  /**
   * @param {number} level
   * @param {VisiblePart} view
   * @returns {Generator<TilePlace>}
   */
  *placesInView(level, view) {
    const step = this.side * 2 ** level;
    const columns = Math.ceil(Math.ceil(this.width / 2 ** level) / this.side);
    const rows = Math.ceil(Math.ceil(this.height / 2 ** level) / this.side);
    const right = Math.min(columns, (view.left + view.width / view.scale) / step);
    const bottom = Math.min(rows, (view.top + view.height / view.scale) / step);
    const [firstColumn, firstRow] = [Math.floor(view.left / step), Math.floor(view.top / step)];
    for (let row = Math.max(0, firstRow); row < bottom; row += 1) {
      for (let column = Math.max(0, firstColumn); column < right; column += 1) {
        yield { level, column, row, key: `${level}/${column}_${row}` };
      }
    }
  }

  /** @param {TilePlace} place */
  isReady({ key }) {
    return this.cache.has(key);
  }

  /**
   * Paints a tile from whole device pixel to whole device pixel, so that no seam shows.
   * @param {CanvasRenderingContext2D} context
   * @param {TilePlace} place
   * @param {VisiblePart} view
   * @param {number} deviceRatio
   */
  paint(context, { level, column, row, key }, view, deviceRatio) {
    const picture = this.cache.get(key);
    if (!picture) return;
    // The map keeps the order of use: the first tile is the one unused for longest.
    this.cache.delete(key);
    this.cache.set(key, picture);
    const factor = 2 ** level;
    const step = this.side * factor;
    /** @param {number} px on the screen */
    const snap = (px) => Math.round(px * deviceRatio) / deviceRatio;
    const right = Math.min(column * step + picture.width * factor, this.width);
    const bottom = Math.min(row * step + picture.height * factor, this.height);
    const x = snap((column * step - view.left) * view.scale);
    const y = snap((row * step - view.top) * view.scale);
    const width = snap((right - view.left) * view.scale) - x;
    const height = snap((bottom - view.top) * view.scale) - y;
    context.drawImage(picture, x, y, width, height);
  }

  /** @param {TilePlace} place */
  async fetch({ level, column, row, key }) {
    if (this.pending.has(key)) return;
    this.pending.add(key);
    try {
      const answer = await fetch(tileUrl(this.id, level, column, row));
      if (!answer.ok) return;
      const picture = await createImageBitmap(await answer.blob());
      if (this.closed) return;
      this.cache.set(key, picture);
      for (const [oldest, unused] of this.cache) {
        if (this.cache.size <= TILES_KEPT) break;
        this.cache.delete(oldest);
        unused.close();
      }
      this.onTile();
    } catch {
      // It is fetched again when it is drawn again.
    } finally {
      this.pending.delete(key);
    }
  }
}
