// The counts, automatic beside corrected, and the settings that they depend on.

import { flagMeaning, flagName } from "./flags.js";
import { legendMark } from "./class_marks.js";
import { element, header, totals } from "./photograph_list.js";
import { changeSettings, rowsInOrder, store, thresholds } from "./session_state.js";
import { cellName, number, t } from "./translations.js";

const byId = (id) => document.getElementById(id);
let shownClasses = "";

export function setUpPanel(say) {
  byId("edge").addEventListener("change", (event) => changeSettings({ edge: event.target.value }));
  byId("pixel-size").addEventListener("change", (event) => {
    const text = event.target.value.trim().replace(",", ".");
    const size = text === "" ? null : Number(text);
    const [least, most] = store.pixelSizes;
    const fine = size === null || (size >= least && size <= most);
    event.target.setAttribute("aria-invalid", String(!fine));
    if (fine) changeSettings({ pixel_size_um: size });
    else say(t("badPixelSize", { least, most }));
  });
  byId("reset").addEventListener("click", () => {
    changeSettings({ thresholds: null, edge: "all", pixel_size_um: null });
  });
}

export function showPanel(editor) {
  showSettings();
  const { photograph } = editor;
  byId("panel-title").textContent = photograph ? cut(photograph.row.name) : t("allPhotographs");
  const sums = photograph ? tallySums(editor.tallies()) : totals(rowsInOrder());
  const intervals = photograph?.row.intervals ?? null;
  showCounts(sums, intervals);
  byId("interval-note").hidden = !intervals;
  const left = sums.excluded.reduce((a, b) => a + b, 0);
  byId("excluded-note").textContent = left ? t("excluded", { n: number(left) }) : "";
  showFlags(photograph?.row.flags ?? [], photograph?.notes ?? []);
  byId("scale-note").textContent = photograph ? scaleNote(photograph) : "";
}

function showFlags(flags, notes) {
  const items = flags.map((flag) =>
    element("li", {}, element("b", { textContent: flagName(flag) }), ` ${flagMeaning(flag)}`),
  );
  byId("flags").replaceChildren(...items, ...notes.map((note) => element("li", { textContent: note })));
}

const cut = (name) => name.slice(name.lastIndexOf("/") + 1);

const tallySums = ({ automatic, corrected }) => ({
  automatic: automatic.counted,
  corrected: corrected.counted,
  excluded: corrected.excluded,
});

function showCounts(sums, intervals) {
  const heads = ["cell", "automatic", "corrected"].map((key) => header(t(key), "col"));
  const rows = store.classes.map(({ name, color }, index) => {
    const title = header("", "row");
    title.append(legendMark(index + 1, color), cellName(name));
    const cells = ["automatic", "corrected"].map((key) => {
      const count = element("span", { textContent: number(sums[key][index]) });
      count.dataset.count = `${key}-${name}`;
      return element("td", {}, count);
    });
    if (intervals) cells[0].append(range(intervals[index]));
    return element("tr", {}, title, ...cells);
  });
  const head = element("thead", {}, element("tr", {}, ...heads));
  byId("counts").replaceChildren(head, element("tbody", {}, ...rows));
}

const range = ([low, high]) =>
  element("small", { className: "range", textContent: `${number(low)}–${number(high)}` });

function showSettings() {
  makeSliders();
  for (const [index, limit] of thresholds().entries()) {
    const slider = byId(`threshold-${index}`);
    if (document.activeElement !== slider || Number(slider.value) !== limit) slider.value = limit;
    byId(`threshold-value-${index}`).textContent = limit.toFixed(2);
  }
  byId("edge").value = store.settings.edge;
  const size = byId("pixel-size");
  if (document.activeElement !== size) size.value = store.settings.pixel_size_um ?? "";
}

function makeSliders() {
  const key = JSON.stringify(store.classes);
  if (key === shownClasses) return;
  shownClasses = key;
  const made = store.classes.map(({ name, color }, index) => {
    const id = `threshold-${index}`;
    const slider = element("input", { id, type: "range", min: 0.01, max: 0.99, step: 0.01 });
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

function scaleNote(photograph) {
  const { rbc_diameter_px: cell, pixel_size_um: pixel, scale_source: source } = photograph;
  if (cell === null && pixel === null) return "";
  return t("scaleNote", {
    cell: cell === null ? "–" : cell.toFixed(1),
    pixel: pixel === null ? "–" : pixel.toPrecision(3),
    source: t(`source_${source}`),
  });
}
