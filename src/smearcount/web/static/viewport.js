// Which part of the image is on the screen, and how large.

/** @import { Box } from "./api.js" */
/** @import { Point } from "./boxes.js" */

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ x: number, y: number, scale: number }} Place an image point to center, and a scale */

const LARGEST_SCALE = 40;
const MARGIN_PX = 20;

export class Viewport {
  /** @param {() => void} onMove is called at every change */
  constructor(onMove) {
    this.onMove = onMove;
    this.left = 0;
    this.top = 0;
    this.scale = 1; // screen pixels per image pixel
    this.width = 0; // of the screen
    this.height = 0;
    /** @type {Size} */
    this.image = { width: 1, height: 1 };
    this.fitted = true;
  }

  /**
   * Shows another image, at a place or as a whole.
   * @param {Size} image
   * @param {Place} [place]
   */
  show({ width, height }, place) {
    this.image = { width, height };
    if (place) this.lookAt(place.x, place.y, place.scale);
    else this.fit();
  }

  /**
   * @param {number} width of the screen
   * @param {number} height of the screen
   */
  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.fitted) this.fit();
  }

  /** Shows the whole image. */
  fit() {
    this.scale = this.fitScale();
    this.lookAt(this.image.width / 2, this.image.height / 2);
    this.fitted = true;
  }

  fitScale() {
    const { width, height, image } = this;
    return Math.min(width / image.width, height / image.height, LARGEST_SCALE);
  }

  /**
   * Centers an image point.
   * @param {number} x
   * @param {number} y
   * @param {number} [scale]
   */
  lookAt(x, y, scale = this.scale) {
    this.setScale(scale);
    this.left = x - this.width / this.scale / 2;
    this.top = y - this.height / this.scale / 2;
    this.keepInView();
  }

  /**
   * @param {number} dx in screen pixels
   * @param {number} dy in screen pixels
   */
  pan(dx, dy) {
    this.fitted = false;
    this.left -= dx / this.scale;
    this.top -= dy / this.scale;
    this.keepInView();
  }

  /**
   * Zooms while a point of the screen stays where it is.
   * @param {number} factor
   * @param {Point} [at]
   */
  zoom(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    const fixed = this.toImage(at);
    this.setScale(this.scale * factor);
    this.left = fixed.x - at.x / this.scale;
    this.top = fixed.y - at.y / this.scale;
    this.keepInView();
  }

  /** @param {number} scale */
  setScale(scale) {
    this.fitted = false;
    this.scale = Math.min(Math.max(scale, this.fitScale() / 2), LARGEST_SCALE);
  }

  keepInView() {
    const { width, height, scale, image } = this;
    /**
     * @param {number} start
     * @param {number} shown
     * @param {number} size
     */
    const hold = (start, shown, size) => Math.min(Math.max(start, -shown / 2), size - shown / 2);
    this.left = hold(this.left, width / scale, image.width);
    this.top = hold(this.top, height / scale, image.height);
    this.onMove();
  }

  /**
   * Moves only if the box is not comfortably in view.
   * @param {Box} box
   */
  reveal([left, top, right, bottom]) {
    const { scale, image } = this;
    const margin = MARGIN_PX / scale;
    const isInView =
      Math.max(left - margin, 0) >= this.left &&
      Math.max(top - margin, 0) >= this.top &&
      Math.min(right + margin, image.width) <= this.left + this.width / scale &&
      Math.min(bottom + margin, image.height) <= this.top + this.height / scale;
    if (!isInView) this.lookAt((left + right) / 2, (top + bottom) / 2);
  }

  /** @returns {Point} the image point in the middle of the screen */
  center() {
    return this.toImage({ x: this.width / 2, y: this.height / 2 });
  }

  /**
   * @param {Point} point of the screen
   * @returns {Point}
   */
  toImage({ x, y }) {
    return { x: x / this.scale + this.left, y: y / this.scale + this.top };
  }

  /**
   * @param {Box} box of the image
   * @returns {Box}
   */
  toScreen([left, top, right, bottom]) {
    const { scale, left: x, top: y } = this;
    return [(left - x) * scale, (top - y) * scale, (right - x) * scale, (bottom - y) * scale];
  }

  /** @param {Box} box on the screen */
  shows([left, top, right, bottom]) {
    return right > 0 && bottom > 0 && left < this.width && top < this.height;
  }
}
