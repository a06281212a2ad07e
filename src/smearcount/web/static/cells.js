// The cells of one photograph: what the model found, what a person removed and added, and which of
// them are counted.

/** @import { AddedCell, Box, CorrectedBody, EdgeRule, PhotographBody, Tally } from "./api.js" */

/** @typedef {Pick<CorrectedBody, "removed" | "added" | "excluded">} CorrectedCells */
/** @typedef {Pick<PhotographBody, "width" | "height" | "boxes" | "scores" | "labels">} FoundCells */

/**
 * A cell keeps its index for as long as the photograph is open: 0 to n - 1 are the n detections, and
 * each cell added by hand gets the next number. A cell that was moved, resized or relabeled is a
 * removed one and an added one; both are versions of the same cell.
 */
export class Cells {
  /** @param {FoundCells & CorrectedCells} photograph */
  constructor(photograph) {
    this.width = photograph.width;
    this.height = photograph.height;
    this.detected = photograph.boxes.length;
    this.boxes = [...photograph.boxes];
    this.labels = [...photograph.labels];
    this.scores = photograph.scores;
    /** @type {Set<number>} */
    this.removed = new Set();
    /** @type {Record<string, Set<number>>} */
    this.excluded = {};
    /** @type {Map<number, Set<number>>} */
    this.versions = new Map();
    this.update(photograph);
  }

  /**
   * Takes over the corrections that the server knows.
   * @param {CorrectedCells} corrected
   * @returns {number[]} the indices of the added cells
   */
  update({ removed, added, excluded }) {
    const known = this.addedByContent();
    const standing = added.map((cell) => known.get(contentOf(cell))?.shift() ?? this.append(cell));
    this.removed = new Set(removed);
    for (const gone of [...known.values()].flat()) this.removed.add(gone);
    /** @param {number} index */
    const indexHere = (index) => (index < this.detected ? index : standing[index - this.detected]);
    this.excluded = Object.fromEntries(
      Object.entries(excluded).map(([rule, indices]) => [rule, new Set(indices.map(indexHere))]),
    );
    return standing;
  }

  /** @returns {Map<string, number[]>} the indices of all cells ever added, by box and label */
  addedByContent() {
    const found = new Map();
    for (let index = this.detected; index < this.boxes.length; index += 1) {
      const content = contentOf({ box: this.boxes[index], label: this.labels[index] });
      if (!found.has(content)) found.set(content, []);
      found.get(content).push(index);
    }
    return found;
  }

  /** @param {AddedCell} cell */
  append({ box, label }) {
    this.labels.push(label);
    return this.boxes.push(box) - 1;
  }

  /**
   * Notes that a cell was replaced by another, which is the same cell with another box or label.
   * @param {number} before
   * @param {number} after
   */
  replace(before, after) {
    const versions = this.versions.get(before) ?? new Set([before]);
    versions.add(after);
    this.versions.set(before, versions);
    this.versions.set(after, versions);
  }

  /**
   * @param {number} index
   * @returns {number | null} the version of the cell that is there now; null if it was removed
   */
  current(index) {
    if (!this.removed.has(index)) return index;
    return [...(this.versions.get(index) ?? [])].find((other) => !this.removed.has(other)) ?? null;
  }

  /**
   * @param {Iterable<number>} indices
   * @returns {number[]} those cells that are there now, in their present versions
   */
  currentOf(indices) {
    const present = [...indices].map((index) => this.current(index));
    return [...new Set(present)].filter((index) => index !== null);
  }

  /**
   * Whether a cell added by hand has this very box.
   * @param {Box} box
   */
  hasAddedBox(box) {
    for (let index = this.detected; index < this.boxes.length; index += 1) {
      const isThere = !this.removed.has(index);
      if (isThere && box.every((edge, side) => edge === this.boxes[index][side])) return true;
    }
    return false;
  }

  /** @param {number} index */
  isAddedByHand(index) {
    return index >= this.detected;
  }

  /**
   * @param {number} index
   * @param {number[]} thresholds of each class
   */
  reachesThreshold(index, thresholds) {
    if (this.isAddedByHand(index)) return true;
    // Scores are 32-bit numbers on the server, so the thresholds are compared as such.
    return this.scores[index] >= Math.fround(thresholds[this.labels[index] - 1]);
  }

  /**
   * @param {number[]} thresholds of each class
   * @returns {number[]} the cells present: those added by hand, and those detected and not removed
   */
  present(thresholds) {
    const found = [];
    for (let index = 0; index < this.boxes.length; index += 1) {
      if (!this.removed.has(index) && this.reachesThreshold(index, thresholds)) found.push(index);
    }
    return found;
  }

  /**
   * Whether the edge rule counts a cell; the server decides that.
   * @param {number} index
   * @param {EdgeRule} rule
   */
  isCounted(index, rule) {
    return !this.excluded[rule].has(index);
  }

  /**
   * @param {number[]} thresholds of each class
   * @param {EdgeRule} rule
   */
  correctedTally(thresholds, rule) {
    return this.tallyOf(this.present(thresholds), rule, thresholds.length);
  }

  /**
   * @param {number[]} thresholds of each class
   * @param {EdgeRule} rule
   */
  automaticTally(thresholds, rule) {
    const found = [];
    for (let index = 0; index < this.detected; index += 1) {
      if (this.reachesThreshold(index, thresholds)) found.push(index);
    }
    return this.tallyOf(found, rule, thresholds.length);
  }

  /**
   * @param {number[]} indices
   * @param {EdgeRule} rule
   * @param {number} classes how many there are
   * @returns {Tally}
   */
  tallyOf(indices, rule, classes) {
    const counted = new Array(classes).fill(0);
    const excluded = new Array(classes).fill(0);
    for (const index of indices) {
      (this.isCounted(index, rule) ? counted : excluded)[this.labels[index] - 1] += 1;
    }
    return { counted, excluded };
  }
}

/** @param {AddedCell} cell */
const contentOf = ({ box, label }) => `${label}:${box.join()}`;

/**
 * @param {Cells} cells
 * @param {number} index
 * @param {{ box: Box, label: number }} other
 */
export const hasContent = (cells, index, { box, label }) =>
  label === cells.labels[index] && box.every((edge, side) => edge === cells.boxes[index][side]);
