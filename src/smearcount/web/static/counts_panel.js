// The counts, automatic beside corrected, and the settings that they depend on.

/** @import { PhotographBody, Tally } from "./api.js" */
/** @import { Editor } from "./editor.js" */

import { legendMark } from "./class_marks.js";
import { byId, element, headerCell } from "./dom.js";
import { flagMeaning, flagName } from "./flags.js";
import { fileNameOf, summarySentence, totals } from "./photograph_list.js";
import { setUpPixelSize, showPixelSize } from "./pixel_size.js";
import { changeSettings, rowsInOrder, session, thresholds } from "./session_state.js";
import { cellName, number, serverSentence, t } from "./translations.js";

/** @typedef {{ automatic: number[], corrected: number[], excluded: number[] }} Sums by class */

let shownClasses = "";

export function setUpPanel() {
  const edge = byId("edge", HTMLSelectElement);
  edge.addEventListener("change", () => {
    changeSettings({ edge: /** @type {import("./api.js").EdgeRule} */ (edge.value) });
  });
  setUpPixelSize();
  byId("reset").addEventListener("click", () => {
    changeSettings({ thresholds: null, edge: "all", pixel_size_um: null });
  });
}

/** @param {Editor} editor */
export function showPanel(editor) {
  const { photograph, cells } = editor;
  showSettings();
  showPixelSize(photograph?.row);
  const title = photograph ? fileNameOf(photograph.row.name) : t("allPhotographs");
  byId("panel-title").textContent = title;
  const sums = cells ? sumsOf(editor.tallies(cells)) : totals(rowsInOrder());
  const intervals = photograph?.row.intervals ?? null;
  showCounts(sums, intervals);
  byId("summary").textContent = photograph ? "" : summarySentence(rowsInOrder());
  byId("interval-note").hidden = !intervals;
  const excluded = sums.excluded.reduce((a, b) => a + b, 0);
  byId("excluded-note").textContent = excluded ? t("excluded", { n: number(excluded) }) : "";
  showFlags(photograph?.row.flags ?? [], photograph?.notes ?? []);
  byId("scale-note").textContent = photograph ? scaleNote(photograph) : "";
}

/**
 * @param {{ automatic: Tally, corrected: Tally }} tallies
 * @returns {Sums}
 */
const sumsOf = ({ automatic, corrected }) => ({
  automatic: automatic.counted,
  corrected: corrected.counted,
  excluded: corrected.excluded,
});

/**
 * @param {string[]} flags
 * @param {string[]} notes
 */
function showFlags(flags, notes) {
  const items = flags.map((flag) =>
    element("li", {}, element("b", { textContent: flagName(flag) }), ` ${flagMeaning(flag)}`),
  );
  const noteItems = notes.map((note) => element("li", { textContent: serverSentence(note) }));
  byId("flags").replaceChildren(...items, ...noteItems);
}

/**
 * @param {Sums} sums
 * @param {[number, number][] | null} intervals
 */
function showCounts(sums, intervals) {
  const heads = [t("cell"), t("automatic"), t("corrected")].map((title) =>
    headerCell(title, "col"),
  );
  const rows = session.classes.map(({ name, color }, index) => {
    const title = headerCell("", "row");
    title.append(legendMark(index + 1, color), cellName(name));
    const automatic = countCell(sums.automatic[index], `automatic-${name}`);
    if (intervals) automatic.append(intervalOf(intervals[index]));
    const corrected = countCell(sums.corrected[index], `corrected-${name}`);
    return element("tr", {}, title, automatic, corrected);
  });
  const head = element("thead", {}, element("tr", {}, ...heads));
  byId("counts").replaceChildren(head, element("tbody", {}, ...rows));
}

/**
 * @param {number} value
 * @param {string} name by which tests find it
 */
function countCell(value, name) {
  const count = element("span", { textContent: number(value) });
  count.dataset.count = name;
  return element("td", {}, count);
}

/** @param {[number, number]} interval */
const intervalOf = ([low, high]) =>
  element("small", { className: "range", textContent: `${number(low)}–${number(high)}` });

function showSettings() {
  makeSliders();
  for (const [index, limit] of thresholds().entries()) {
    const slider = byId(`threshold-${index}`, HTMLInputElement);
    const isMoved = document.activeElement === slider && Number(slider.value) === limit;
    if (!isMoved) slider.value = String(limit);
    byId(`threshold-value-${index}`).textContent = limit.toFixed(2);
  }
  byId("edge", HTMLSelectElement).value = session.settings.edge;
}

function makeSliders() {
  const classes = JSON.stringify(session.classes);
  if (classes === shownClasses) return;
  shownClasses = classes;
  const made = session.classes.map(({ name, color }, index) => {
    const id = `threshold-${index}`;
    const range = { min: "0.01", max: "0.99", step: "0.01" };
    const slider = element("input", { id, type: "range", ...range });
    slider.addEventListener("input", () => {
      const limits = [...thresholds()];
      limits[index] = Number(slider.value);
      changeSettings({ thresholds: limits });
    });
    const value = element("output", { id: `threshold-value-${index}` });
    value.setAttribute("for", id);
    const label = element("label", { htmlFor: id }, legendMark(index + 1, color));
    label.append(t("threshold", { name: cellName(name) }), " ", value);
    return element("div", {}, label, slider);
  });
  byId("sliders").replaceChildren(...made);
}

/** @param {PhotographBody} photograph */
function scaleNote(photograph) {
  const { rbc_diameter_px: cell, pixel_size_um: pixel, scale_source: source } = photograph;
  if (cell === null && pixel === null) return "";
  return t("scaleNote", {
    cell: cell === null ? "–" : cell.toFixed(1),
    pixel: pixel === null ? "–" : pixel.toPrecision(3),
    source: t(`source_${source}`),
  });
}
