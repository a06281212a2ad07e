// The cells of one photograph: what the model saw, what a person removed and added, and what of
// that counts under the present thresholds and edge rule.

const EDGE_TOLERANCE_PX = 1;

export class Cells {
  constructor(photograph) {
    this.width = photograph.width;
    this.height = photograph.height;
    this.detected = photograph.boxes.length;
    this.boxes = photograph.boxes;
    this.scores = photograph.scores;
    this.labels = photograph.labels;
    this.correct(photograph);
  }

  // Takes in what the corrections amount to.
  correct({ removed, added }) {
    this.removed = new Set(removed);
    this.boxes = [...this.boxes.slice(0, this.detected), ...added.map((cell) => cell.box)];
    this.labels = [...this.labels.slice(0, this.detected), ...added.map((cell) => cell.label)];
  }

  byHand(index) {
    return index >= this.detected;
  }

  // Scores are 32-bit numbers on the server, so the limits are compared as such.
  reaches(index, limits) {
    return this.byHand(index) || this.scores[index] >= Math.fround(limits[this.labels[index] - 1]);
  }

  // Indices of the cells present: those added by hand, and those detected and not removed.
  present(limits) {
    const found = [];
    for (let index = 0; index < this.boxes.length; index += 1) {
      if (!this.removed.has(index) && this.reaches(index, limits)) found.push(index);
    }
    return found;
  }

  counted(index, rule) {
    return isCounted(this.boxes[index], rule, this.width, this.height);
  }

  tally(limits, rule, classes) {
    return tallyOf(this, this.present(limits), rule, classes);
  }

  automaticTally(limits, rule, classes) {
    const found = [];
    for (let index = 0; index < this.detected; index += 1) {
      if (this.reaches(index, limits)) found.push(index);
    }
    return tallyOf(this, found, rule, classes);
  }
}

function isCounted([left, top, right, bottom], rule, width, height) {
  if (rule === "all") return true;
  const low = left <= EDGE_TOLERANCE_PX || top <= EDGE_TOLERANCE_PX;
  const high = right >= width - EDGE_TOLERANCE_PX || bottom >= height - EDGE_TOLERANCE_PX;
  return !(high || (rule === "inside" && low));
}

function tallyOf(cells, indices, rule, classes) {
  const counted = new Array(classes).fill(0);
  const excluded = new Array(classes).fill(0);
  for (const index of indices) {
    (cells.counted(index, rule) ? counted : excluded)[cells.labels[index] - 1] += 1;
  }
  return { counted, excluded };
}
