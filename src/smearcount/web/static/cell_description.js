// A cell in words, for the eye that hovers over it and for the ear that steps through.

import { store } from "./session_state.js";
import { cellName, number, t } from "./translations.js";

const nameOf = (cells, index) => cellName(store.classes[cells.labels[index] - 1].name);
const isLeftOut = (cells, index) => !cells.counted(index, store.settings.edge);

// The whole sentence: class, score, and which of how many.
export function spoken(cells, index, place, n) {
  const key = cells.byHand(index) ? "byHand" : "described";
  const score = cells.scores[index]?.toFixed(2);
  const sentence = t(key, { name: nameOf(cells, index), score, place: number(place), n: number(n) });
  return sentence + (isLeftOut(cells, index) ? ` (${t("leftOut")})` : "");
}

// A few words beside the pointer.
export function brief(cells, index) {
  const score = cells.byHand(index) ? "✎" : cells.scores[index].toFixed(2);
  const left = isLeftOut(cells, index) ? ` · ${t("leftOut")}` : "";
  return `${nameOf(cells, index)} ${score}${left}`;
}
