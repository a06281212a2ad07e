// All photographs: as cards, and as a table with totals by folder.

/** @import { PhotographRow } from "./api.js" */

import { api, thumbnailUrl } from "./api.js";
import { legendMark } from "./class_marks.js";
import { confirmed } from "./confirm.js";
import { element, headerCell } from "./dom.js";
import { flagMeaning, flagName } from "./flags.js";
import { act, rowsInOrder, session } from "./session_state.js";
import { cellName, number, serverSentence, t } from "./translations.js";
import { forgetFailed, uploads } from "./upload.js";

/** @typedef {(id: string) => void} OpenPhotograph */

/** @param {string} name */
export const folderOf = (name) => name.slice(0, Math.max(0, name.lastIndexOf("/")));

/** @param {string} name */
export const fileNameOf = (name) => name.slice(name.lastIndexOf("/") + 1);

/**
 * Returns the sums, by class, of the photographs that are counted and not left out.
 * @param {PhotographRow[]} rows
 */
export function totals(rows) {
  const zeros = () => session.classes.map(() => 0);
  const sums = { automatic: zeros(), corrected: zeros(), excluded: zeros(), done: 0 };
  for (const { automatic, corrected, left_out } of rows) {
    if (!automatic || !corrected || left_out) continue;
    sums.done += 1;
    for (const index of session.classes.keys()) {
      sums.automatic[index] += automatic.counted[index];
      sums.corrected[index] += corrected.counted[index];
      sums.excluded[index] += corrected.excluded[index];
    }
  }
  return sums;
}

/**
 * Returns how many photographs the totals are of, and how many they are not of, and why.
 * @param {PhotographRow[]} rows
 */
export function summaryOf(rows) {
  const takenIn = rows.filter((row) => !row.left_out);
  const counted = takenIn.filter((row) => row.state === "done");
  const failed = takenIn.filter((row) => row.state === "failed").length;
  return {
    counted: counted.length,
    flagged: counted.filter((row) => row.flags.length).length,
    failed,
    open: takenIn.length - counted.length - failed,
    leftOut: rows.length - takenIn.length,
  };
}

/**
 * Says so in a sentence; what is nothing is not named.
 * @param {PhotographRow[]} rows
 */
export function summarySentence(rows) {
  const { counted, flagged, failed, open, leftOut } = summaryOf(rows);
  const parts = [t("nCounted", { n: number(counted) })];
  if (flagged) parts.push(t("nFlagged", { n: number(flagged) }));
  if (failed) parts.push(t("nFailed", { n: number(failed) }));
  if (open) parts.push(t("nOpen", { n: number(open) }));
  if (leftOut) parts.push(t("nLeftOut", { n: number(leftOut) }));
  return parts.join(t("listSeparator"));
}

/** @param {PhotographRow} row */
export const toggleLeftOut = (row) => act(() => api.leaveOut(row.id, !row.left_out));

/**
 * Removes a photograph; asks first where a count would be lost.
 * @param {PhotographRow} row
 */
async function remove(row) {
  const sentence = t("reallyRemove", { name: row.name });
  if (row.state !== "done" || (await confirmed(sentence, t("remove")))) {
    await act(() => api.remove(row.id));
  }
}

/** Removes all photographs after asking. */
export async function removeAll() {
  const sentence = t("reallyRemoveAll", { n: number(session.rows.size) });
  if (!(await confirmed(sentence, t("removeAll")))) return;
  uploads.failed.clear();
  await act(api.removeAll);
}

// --- cards

/** @type {Map<string, { content: string, item: HTMLElement }>} */
const cards = new Map();

/**
 * Shows one card per photograph and per failed upload; only those that changed are made anew.
 * @param {HTMLElement} list
 * @param {OpenPhotograph} open
 */
export function showCards(list, open) {
  const rows = rowsInOrder();
  const wanted = new Set(rows.map((row) => row.id));
  for (const name of uploads.failed.keys()) wanted.add(`!${name}`);
  for (const [id, card] of cards) {
    if (wanted.has(id)) continue;
    // The focus of a removed card goes to its neighbor.
    const neighbor = card.item.nextElementSibling ?? card.item.previousElementSibling;
    if (card.item.contains(document.activeElement)) neighbor?.querySelector("button")?.focus();
    card.item.remove();
    cards.delete(id);
  }
  /** @type {Element | null} */
  let before = null;
  /**
   * @param {string} id
   * @param {string} content what the card shows, as one string
   * @param {() => HTMLElement} make
   */
  const place = (id, content, make) => {
    let card = cards.get(id);
    if (card?.content !== content) {
      const hadFocus = card?.item.contains(document.activeElement);
      const item = make();
      card?.item.replaceWith(item);
      if (hadFocus) item.querySelector("button")?.focus();
      card = { content, item };
      cards.set(id, card);
    }
    const next = before ? before.nextElementSibling : list.firstElementChild;
    if (next !== card.item) list.insertBefore(card.item, next);
    before = card.item;
  };
  for (const [name, reason] of uploads.failed) {
    place(`!${name}`, reason, () => failedUpload(name, reason));
  }
  for (const row of rows) place(row.id, JSON.stringify(row), () => cardOf(row, open));
}

/**
 * @param {string} name
 * @param {string} reason
 */
function failedUpload(name, reason) {
  return element(
    "li",
    { className: "card failed" },
    element("p", { className: "name", textContent: fileNameOf(name), title: name }),
    element("p", { className: "reason", textContent: reason }),
    removeButton(name, () => forgetFailed(name)),
  );
}

/**
 * @param {PhotographRow} row
 * @param {OpenPhotograph} open
 */
function cardOf(row, open) {
  const out = row.left_out ? " left-out" : "";
  const item = element("li", { className: `card ${row.state}${out}` });
  const title = fileNameOf(row.name);
  const name = element("p", { className: "name", textContent: title, title: row.name });
  if (row.state === "done") {
    const picture = element("img", { src: thumbnailUrl(row.id), alt: "", loading: "lazy" });
    const button = element("button", { className: "open" }, picture);
    button.setAttribute("aria-label", t("openNamed", { name: row.name }));
    button.dataset.opens = row.id;
    button.addEventListener("click", () => open(row.id));
    item.append(button, name);
    const folder = folderOf(row.name);
    if (folder) item.append(element("p", { className: "quiet folder", textContent: folder }));
    item.append(countsLine(row));
    if (row.corrections) {
      const textContent = t("corrections", { n: row.corrections });
      item.append(element("p", { className: "quiet", textContent }));
    }
    for (const flag of row.flags) {
      const textContent = `⚠ ${flagName(flag)}`;
      item.append(element("p", { className: "flag", textContent, title: flagMeaning(flag) }));
    }
    item.append(leaveOutButton(row));
  } else {
    item.append(name, element("p", { className: "state", textContent: t(row.state) }));
    const textContent = serverSentence(row.reason);
    if (row.reason) item.append(element("p", { className: "reason", textContent }));
  }
  item.append(removeButton(row.name, () => remove(row)));
  return item;
}

/** @param {PhotographRow} row */
function leaveOutButton(row) {
  const textContent = t(row.left_out ? "takeIn" : "leaveOut");
  const button = element("button", { className: "leave-out", textContent });
  const name = `${textContent}: ${row.name}`;
  button.setAttribute("aria-label", name);
  button.addEventListener("click", () => toggleLeftOut(row));
  return button;
}

/** @param {PhotographRow} row */
function countsLine(row) {
  const line = element("p", { className: "counts" });
  for (const [index, { name, color }] of session.classes.entries()) {
    const count = element("b", { textContent: number(row.corrected?.counted[index] ?? 0) });
    const part = element("span", { title: cellName(name) }, legendMark(index + 1, color), count);
    part.append(element("span", { className: "unseen", textContent: ` ${cellName(name)}` }));
    line.append(part);
  }
  return line;
}

/**
 * @param {string} name
 * @param {() => void} remove
 */
function removeButton(name, remove) {
  const button = element("button", { className: "remove", textContent: "×", title: t("remove") });
  button.setAttribute("aria-label", t("removeNamed", { name }));
  button.addEventListener("click", remove);
  return button;
}

// --- table

/**
 * @param {HTMLElement} table
 * @param {OpenPhotograph} open
 */
export function showTable(table, open) {
  const rows = rowsInOrder();
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const { opens, counts } = (table.contains(focused) && focused?.dataset) || {};
  const folders = byFolder(rows);
  table.replaceChildren(tableHead());
  for (const [folder, members] of folders) {
    const body = element("tbody");
    if (folders.size > 1) body.append(sumRow(folder || t("noFolder"), members, "folder"));
    for (const row of members) body.append(tableRow(row, open));
    table.append(body);
  }
  table.append(element("tfoot", {}, sumRow(t("total"), rows, "total")));
  if (opens || counts) {
    const which = opens ? `[data-opens="${opens}"]` : `[data-counts="${counts}"]`;
    /** @type {HTMLElement | null} */
    const control = table.querySelector(which);
    control?.focus();
  }
}

/**
 * @param {PhotographRow[]} rows
 * @returns {Map<string, PhotographRow[]>}
 */
export function byFolder(rows) {
  const found = new Map();
  for (const row of rows) {
    const folder = folderOf(row.name);
    if (!found.has(folder)) found.set(folder, []);
    found.get(folder).push(row);
  }
  return found;
}

function tableHead() {
  const upper = element("tr", {}, headerCell(t("photographs"), "col", { rowSpan: 2 }));
  const lower = element("tr");
  for (const [index, { name, color }] of session.classes.entries()) {
    const cell = headerCell("", "colgroup", { colSpan: 2 });
    cell.append(legendMark(index + 1, color), cellName(name));
    upper.append(cell);
    lower.append(headerCell(t("automatic"), "col"), headerCell(t("corrected"), "col"));
  }
  upper.append(headerCell(t("inTotals"), "col", { rowSpan: 2 }));
  return element("thead", {}, upper, lower);
}

/**
 * @param {string} title
 * @param {PhotographRow[]} rows
 * @param {string} className
 */
function sumRow(title, rows, className) {
  const sums = totals(rows);
  const head = headerCell(`${title} (${number(sums.done)})`, "row");
  const row = element("tr", { className }, head);
  for (const index of session.classes.keys()) {
    row.append(numberCell(sums.automatic[index]), numberCell(sums.corrected[index]));
  }
  row.append(element("td"));
  return row;
}

/**
 * @param {PhotographRow} row
 * @param {OpenPhotograph} open
 */
function tableRow(row, open) {
  const name = headerCell("", "row");
  const line = element("tr", {}, name);
  const { automatic, corrected } = row;
  if (!automatic || !corrected) {
    name.textContent = fileNameOf(row.name);
    const textContent = serverSentence(row.reason) || (row.state === "done" ? "" : t(row.state));
    const colSpan = 2 * session.classes.length;
    line.append(element("td", { colSpan, textContent, className: "reason" }), element("td"));
    return line;
  }
  const button = element("button", { className: "link", textContent: fileNameOf(row.name) });
  button.dataset.opens = row.id;
  button.addEventListener("click", () => open(row.id));
  name.append(button);
  for (const index of session.classes.keys()) {
    const [before, after] = [automatic.counted[index], corrected.counted[index]];
    line.append(numberCell(before), numberCell(after, before === after ? "" : "changed"));
  }
  const inTotals = element("input", { type: "checkbox", checked: !row.left_out });
  inTotals.setAttribute("aria-label", t("inTotalsNamed", { name: row.name }));
  inTotals.dataset.counts = row.id;
  inTotals.addEventListener("change", () => toggleLeftOut(row));
  line.classList.toggle("left-out", row.left_out);
  line.append(element("td", {}, inTotals));
  return line;
}

/**
 * @param {number} value
 * @param {string} className
 */
const numberCell = (value, className = "") =>
  element("td", { textContent: number(value), className });
