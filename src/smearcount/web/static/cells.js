// The cells of one photograph: what the model found, what a person removed and added, and which of
// them are counted.

// A cell keeps its index for as long as the photograph is open: 0 to n - 1 are the n detections, and
// each cell added by hand gets the next number. A cell that was moved, resized or relabeled is a
// removed one and an added one; both are versions of the same cell.
export class Cells {
  constructor(photograph) {
    this.width = photograph.width;
    this.height = photograph.height;
    this.detected = photograph.boxes.length;
    this.boxes = [...photograph.boxes];
    this.labels = [...photograph.labels];
    this.scores = photograph.scores;
    this.versions = new Map();
    this.update(photograph);
  }

  // Takes over what the server says of the corrections; returns the indices of the added cells.
  update({ removed, added, excluded }) {
    const known = this.addedByContent();
    const standing = added.map((cell) => known.get(contentOf(cell))?.shift() ?? this.append(cell));
    this.removed = new Set(removed);
    for (const gone of [...known.values()].flat()) this.removed.add(gone);
    const indexOf = (index) => (index < this.detected ? index : standing[index - this.detected]);
    this.excluded = Object.fromEntries(
      Object.entries(excluded).map(([rule, indices]) => [rule, new Set(indices.map(indexOf))]),
    );
    return standing;
  }

  // The indices of all cells ever added here, by box and label.
  addedByContent() {
    const found = new Map();
    for (let index = this.detected; index < this.boxes.length; index += 1) {
      const content = contentOf({ box: this.boxes[index], label: this.labels[index] });
      if (!found.has(content)) found.set(content, []);
      found.get(content).push(index);
    }
    return found;
  }

  append({ box, label }) {
    this.labels.push(label);
    return this.boxes.push(box) - 1;
  }

  // Notes that a cell was replaced by another, which is the same cell with another box or label.
  replace(before, after) {
    const versions = this.versions.get(before) ?? new Set([before]);
    versions.add(after);
    this.versions.set(before, versions);
    this.versions.set(after, versions);
  }

  // The version of a cell that is there now; null where it was removed.
  current(index) {
    if (!this.removed.has(index)) return index;
    return [...(this.versions.get(index) ?? [])].find((other) => !this.removed.has(other)) ?? null;
  }

  // The cells of a set that are there now, in their present versions.
  currentOf(indices) {
    return [...new Set([...indices].map((index) => this.current(index)))].filter((one) => one !== null);
  }

  byHand(index) {
    return index >= this.detected;
  }

  // Scores are 32-bit numbers on the server, so the thresholds are compared as such.
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
    return !this.excluded[rule].has(index);
  }

  tally(limits, rule, classes) {
    return this.tallyOf(this.present(limits), rule, classes);
  }

  automaticTally(limits, rule, classes) {
    const found = [];
    for (let index = 0; index < this.detected; index += 1) {
      if (this.reaches(index, limits)) found.push(index);
    }
    return this.tallyOf(found, rule, classes);
  }

  tallyOf(indices, rule, classes) {
    const counted = new Array(classes).fill(0);
    const excluded = new Array(classes).fill(0);
    for (const index of indices) {
      (this.counted(index, rule) ? counted : excluded)[this.labels[index] - 1] += 1;
    }
    return { counted, excluded };
  }
}

const contentOf = ({ box, label }) => `${label}:${box.join()}`;
