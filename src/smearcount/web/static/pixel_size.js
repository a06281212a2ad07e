// The pixel size: of one photograph, of a folder, or of all photographs.

/** @import { PhotographRow } from "./api.js" */

import { api } from "./api.js";
import { byId, element } from "./dom.js";
import { folderOf } from "./photograph_list.js";
import { act, changeSettings, rowsInOrder, session } from "./session_state.js";
import { showMessage } from "./status_line.js";
import { number, t } from "./translations.js";

const ALL = "all";
const FOLDER = "folder:";

/** @type {PhotographRow | undefined} */
let opened;
let isEdited = false; // the field holds what the user typed and has not applied yet

export function setUpPixelSize() {
  const field = byId("pixel-size", HTMLInputElement);
  field.addEventListener("input", () => {
    isEdited = true;
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") apply();
  });
  byId("apply-pixel-size").addEventListener("click", apply);
  byId("pixel-size-of").addEventListener("change", () => showPixelSize(opened));
}

/**
 * Shows the pixel size of what is chosen, and how many photographs it applies to.
 * @param {PhotographRow | undefined} row of the open photograph
 */
export function showPixelSize(row) {
  opened = row;
  const field = byId("pixel-size", HTMLInputElement);
  const choice = offer(scopesOf(row));
  const rows = rowsOf(choice);
  byId("apply-pixel-size").textContent = t("applyTo", { n: number(rows.length) });
  const { pixel_size_um: usual } = session.settings;
  field.placeholder = choice === ALL || usual === null ? t("estimated") : String(usual);
  if (isEdited) return;
  const sizes = new Set(choice === ALL ? [usual] : rows.map((one) => one.pixel_size_um));
  field.value = sizes.size === 1 ? String([...sizes][0] ?? "") : "";
}

/**
 * Returns what a pixel size can be given to: value and words of each choice.
 * @param {PhotographRow | undefined} row of the open photograph
 * @returns {[string, string][]}
 */
function scopesOf(row) {
  const names = row ? [row.name] : rowsInOrder().map((one) => one.name);
  const folders = [...new Set(names.map(folderOf))].filter((folder) => folder);
  /** @type {[string, string][]} */
  const scopes = folders.map((name) => [FOLDER + name, t("folderNamed", { name })]);
  const all = /** @type {[string, string]} */ ([ALL, t("allPhotographs")]);
  return row ? [[row.id, t("thisPhotograph")], ...scopes, all] : [all, ...scopes];
}

/**
 * Fills the list of choices, and returns the one that is chosen.
 * @param {[string, string][]} scopes
 */
function offer(scopes) {
  const list = byId("pixel-size-of", HTMLSelectElement);
  const before = list.value;
  if (JSON.stringify(scopes) !== list.dataset.scopes) {
    list.dataset.scopes = JSON.stringify(scopes);
    list.replaceChildren(
      ...scopes.map(([value, textContent]) => element("option", { value, textContent })),
    );
    const isKept = before !== ALL && scopes.some(([value]) => value === before);
    list.value = isKept ? before : scopes[0][0];
    if (list.value !== before) isEdited = false;
  }
  return list.value;
}

/**
 * Returns the photographs that a choice changes; of all, those without a size of their own.
 * @param {string} choice
 */
function rowsOf(choice) {
  const rows = rowsInOrder();
  if (choice === ALL) return rows.filter((row) => row.pixel_size_um === null);
  if (!choice.startsWith(FOLDER)) return rows.filter((row) => row.id === choice);
  return rows.filter((row) => folderOf(row.name) === choice.slice(FOLDER.length));
}

function apply() {
  const field = byId("pixel-size", HTMLInputElement);
  const text = field.value.trim().replace(",", ".");
  const size = text === "" ? null : Number(text);
  const [least, most] = session.pixelSizes;
  const isValid = size === null || (size >= least && size <= most);
  field.setAttribute("aria-invalid", String(!isValid));
  if (!isValid) {
    showMessage(t("badPixelSize", { least, most }));
    return;
  }
  isEdited = false;
  const choice = byId("pixel-size-of", HTMLSelectElement).value;
  if (choice === ALL) changeSettings({ pixel_size_um: size });
  else
    act(() =>
      api.pixelSize(
        rowsOf(choice).map((row) => row.id),
        size,
      ),
    );
}
