// All photographs: as cards, and as a table with totals by folder.

import { api, thumbnailOf } from "./api.js";
import { flagMeaning, flagName } from "./flags.js";
import { legendMark } from "./class_marks.js";
import { refresh, rowsInOrder, store } from "./session_state.js";
import { cellName, number, t } from "./translations.js";
import { forget, uploads } from "./upload.js";

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export const folderOf = (name) => name.slice(0, Math.max(0, name.lastIndexOf("/")));
const shortName = (name) => name.slice(name.lastIndexOf("/") + 1);

// Sums of the photographs that are counted: {automatic, corrected, done, excluded}.
export function totals(rows) {
  const zero = () => store.classes.map(() => 0);
  const sums = { automatic: zero(), corrected: zero(), excluded: zero(), done: 0 };
  for (const row of rows) {
    if (!row.corrected) continue;
    sums.done += 1;
    for (const index of store.classes.keys()) {
      sums.automatic[index] += row.automatic.counted[index];
      sums.corrected[index] += row.corrected.counted[index];
      sums.excluded[index] += row.corrected.excluded[index];
    }
  }
  return sums;
}

// --- cards

const cards = new Map();

export function showCards(list, open) {
  const rows = rowsInOrder();
  const wanted = new Set(rows.map((row) => row.id));
  for (const [name] of uploads.failed) wanted.add(`!${name}`);
  for (const [id, card] of cards) {
    if (wanted.has(id)) continue;
    // The focus of a removed card goes to its neighbour.
    const neighbour = card.item.nextSibling ?? card.item.previousSibling;
    if (card.item.contains(document.activeElement)) neighbour?.querySelector("button").focus();
    card.item.remove();
    cards.delete(id);
  }
  let before = null;
  const place = (id, key, make) => {
    let card = cards.get(id);
    if (card?.key !== key) {
      const focused = card?.item.contains(document.activeElement);
      const item = make();
      card?.item.replaceWith(item);
      if (focused) item.querySelector("button").focus();
      card = { key, item };
      cards.set(id, card);
    }
    const next = before ? before.nextSibling : list.firstChild;
    if (next !== card.item) list.insertBefore(card.item, next);
    before = card.item;
  };
  for (const [name, reason] of uploads.failed) {
    place(`!${name}`, reason, () => failedUpload(name, reason));
  }
  for (const row of rows) place(row.id, JSON.stringify(row), () => cardOf(row, open));
}

function failedUpload(name, reason) {
  return element(
    "li",
    { className: "card failed" },
    element("p", { className: "name", textContent: shortName(name), title: name }),
    element("p", { className: "reason", textContent: reason }),
    removeButton(name, () => forget(name)),
  );
}

function cardOf(row, open) {
  const item = element("li", { className: `card ${row.state}` });
  const name = element("p", { className: "name", textContent: shortName(row.name), title: row.name });
  if (row.state === "done") {
    const picture = element("img", { src: thumbnailOf(row.id), alt: "", loading: "lazy" });
    const button = element("button", { className: "open" }, picture);
    button.setAttribute("aria-label", t("openNamed", { name: row.name }));
    button.dataset.opens = row.id;
    button.addEventListener("click", () => open(row.id));
    item.append(button, name);
    const folder = folderOf(row.name);
    if (folder) item.append(element("p", { className: "quiet folder", textContent: folder }));
    item.append(countsLine(row));
    if (row.corrections) {
      item.append(element("p", { className: "quiet", textContent: t("corrections", { n: row.corrections }) }));
    }
    for (const flag of row.flags) item.append(element("p", { className: "flag", textContent: `⚠ ${flagName(flag)}`, title: flagMeaning(flag) }));
  } else {
    item.append(name, element("p", { className: "state", textContent: t(row.state) }));
    if (row.reason) item.append(element("p", { className: "reason", textContent: row.reason }));
  }
  item.append(removeButton(row.name, () => api.remove(row.id).finally(refresh)));
  return item;
}

function countsLine(row) {
  const line = element("p", { className: "counts" });
  for (const [index, { name, color }] of store.classes.entries()) {
    const count = element("b", { textContent: number(row.corrected.counted[index]) });
    const part = element("span", { title: cellName(name) }, legendMark(index + 1, color), count);
    part.append(element("span", { className: "unseen", textContent: ` ${cellName(name)}` }));
    line.append(part);
  }
  return line;
}

function removeButton(name, remove) {
  const button = element("button", { className: "remove", textContent: "×", title: t("remove") });
  button.setAttribute("aria-label", t("removeNamed", { name }));
  button.addEventListener("click", remove);
  return button;
}

// --- table

export function showTable(table, open) {
  const rows = rowsInOrder();
  const focused = table.contains(document.activeElement) && document.activeElement.dataset.opens;
  const folders = Map.groupBy ? Map.groupBy(rows, (row) => folderOf(row.name)) : groups(rows);
  table.replaceChildren(headOf());
  for (const [folder, members] of folders) {
    const body = element("tbody");
    if (folders.size > 1) {
      const title = folder || t("noFolder");
      body.append(sumRow(title, members, "folder"));
    }
    for (const row of members) body.append(tableRow(row, open));
    table.append(body);
  }
  table.append(element("tfoot", {}, sumRow(t("total"), rows, "total")));
  if (focused) table.querySelector(`[data-opens="${focused}"]`)?.focus();
}

function groups(rows) {
  const found = new Map();
  for (const row of rows) {
    const folder = folderOf(row.name);
    if (!found.has(folder)) found.set(folder, []);
    found.get(folder).push(row);
  }
  return found;
}

function headOf() {
  const upper = element("tr", {}, header(t("photographs"), "col", { rowSpan: 2 }));
  const lower = element("tr");
  for (const [index, { name, color }] of store.classes.entries()) {
    const cell = header("", "colgroup", { colSpan: 2 });
    cell.append(legendMark(index + 1, color), cellName(name));
    upper.append(cell);
    lower.append(header(t("automatic"), "col"), header(t("corrected"), "col"));
  }
  return element("thead", {}, upper, lower);
}

export function header(textContent, scope, properties = {}) {
  return element("th", { textContent, scope, ...properties });
}

function sumRow(title, rows, className) {
  const sums = totals(rows);
  const row = element("tr", { className }, header(`${title} (${number(sums.done)})`, "row"));
  for (const index of store.classes.keys()) {
    row.append(cell(sums.automatic[index]), cell(sums.corrected[index]));
  }
  return row;
}

function tableRow(row, open) {
  const name = header("", "row");
  const line = element("tr", {}, name);
  if (!row.corrected) {
    name.textContent = shortName(row.name);
    const why = row.reason || t(row.state);
    line.append(element("td", { colSpan: 2 * store.classes.length, textContent: why, className: "reason" }));
    return line;
  }
  const button = element("button", { className: "link", textContent: shortName(row.name) });
  button.dataset.opens = row.id;
  button.addEventListener("click", () => open(row.id));
  name.append(button);
  for (const index of store.classes.keys()) {
    const [was, is] = [row.automatic.counted[index], row.corrected.counted[index]];
    line.append(cell(was), cell(is, was === is ? "" : "changed"));
  }
  return line;
}

const cell = (value, className = "") => element("td", { textContent: number(value), className });
