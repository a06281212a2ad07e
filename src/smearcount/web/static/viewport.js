// Where we look: which part of the image is on the screen, and how large.

const LARGEST_SCALE = 40;
const MARGIN_PX = 20;

export class View {
  // `changed` hears of every move.
  constructor(changed) {
    this.changed = changed;
    this.left = 0;
    this.top = 0;
    this.scale = 1; // screen pixels per image pixel
    this.width = 0; // of the screen
    this.height = 0;
    this.image = null;
    this.fitted = true;
  }

  // Looks at another image, at a place {x, y, scale} or at the whole.
  show(image, place) {
    this.image = image;
    if (place) this.lookAt(place.x, place.y, place.scale);
    else this.fit();
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.image && this.fitted) this.fit();
  }

  fit() {
    this.scale = this.fitScale();
    this.lookAt(this.image.width / 2, this.image.height / 2);
    this.fitted = true;
  }

  fitScale() {
    const { width, height, image } = this;
    return Math.min(width / image.width, height / image.height, LARGEST_SCALE);
  }

  // Puts an image point into the middle.
  lookAt(x, y, scale = this.scale) {
    this.setScale(scale);
    this.left = x - this.width / this.scale / 2;
    this.top = y - this.height / this.scale / 2;
    this.keepInView();
  }

  pan(dx, dy) {
    this.fitted = false;
    this.left -= dx / this.scale;
    this.top -= dy / this.scale;
    this.keepInView();
  }

  // Zooms while a point of the screen stays where it is.
  zoom(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    const fixed = this.toImage(at);
    this.setScale(this.scale * factor);
    this.left = fixed.x - at.x / this.scale;
    this.top = fixed.y - at.y / this.scale;
    this.keepInView();
  }

  setScale(scale) {
    this.fitted = false;
    this.scale = Math.min(Math.max(scale, this.fitScale() / 2), LARGEST_SCALE);
  }

  keepInView() {
    const { width, height, scale, image } = this;
    const hold = (start, shown, size) => Math.min(Math.max(start, -shown / 2), size - shown / 2);
    this.left = hold(this.left, width / scale, image.width);
    this.top = hold(this.top, height / scale, image.height);
    this.changed();
  }

  // Moves only if the box is not comfortably in view.
  reveal([left, top, right, bottom]) {
    const { scale, image } = this;
    const margin = MARGIN_PX / scale;
    const inside =
      Math.max(left - margin, 0) >= this.left &&
      Math.max(top - margin, 0) >= this.top &&
      Math.min(right + margin, image.width) <= this.left + this.width / scale &&
      Math.min(bottom + margin, image.height) <= this.top + this.height / scale;
    if (!inside) this.lookAt((left + right) / 2, (top + bottom) / 2);
  }

  center() {
    return { x: this.left + this.width / this.scale / 2, y: this.top + this.height / this.scale / 2 };
  }

  toImage({ x, y }) {
    return { x: x / this.scale + this.left, y: y / this.scale + this.top };
  }

  // Returns left, top, right and bottom on the screen.
  toScreen([left, top, right, bottom]) {
    const { scale, left: x, top: y } = this;
    return [(left - x) * scale, (top - y) * scale, (right - x) * scale, (bottom - y) * scale];
  }

  shows([left, top, right, bottom]) {
    return right > 0 && bottom > 0 && left < this.width && top < this.height;
  }
}
