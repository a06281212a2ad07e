// A cell in words, for the pointer that hovers over it and for screen readers.

/** @import { Cells } from "./cells.js" */

import { session } from "./session_state.js";
import { cellName, number, t } from "./translations.js";

/**
 * @param {Cells} cells
 * @param {number} index
 */
const nameOf = (cells, index) => cellName(session.classes[cells.labels[index] - 1].name);

/**
 * The whole sentence: class, score, and which of how many.
 * @param {Cells} cells
 * @param {number} index
 * @param {number} place 1-based
 * @param {number} n how many cells there are
 */
export function describeCell(cells, index, place, n) {
  const key = cells.isAddedByHand(index) ? "byHand" : "described";
  const score = cells.scores[index]?.toFixed(2);
  const name = nameOf(cells, index);
  const sentence = t(key, { name, score, place: number(place), n: number(n) });
  return cells.isCounted(index, session.settings.edge) ? sentence : `${sentence} (${t("leftOut")})`;
}

/**
 * A few words beside the pointer.
 * @param {Cells} cells
 * @param {number} index
 */
export function describeBriefly(cells, index) {
  const score = cells.isAddedByHand(index) ? "✎" : cells.scores[index].toFixed(2);
  const words = `${nameOf(cells, index)} ${score}`;
  return cells.isCounted(index, session.settings.edge) ? words : `${words} · ${t("leftOut")}`;
}
