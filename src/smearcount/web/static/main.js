// Puts the page together: what is open, and what the buttons and keys do.

import { readLocationHash, writeLocationHash } from "./location_hash.js";
import { api } from "./api.js";
import { showToolbar, showProgress } from "./toolbar.js";
import { Editor } from "./editor.js";
import { setUpFileDrop } from "./drop_files.js";
import { Keys } from "./keyboard.js";
import { element, showCards, showTable } from "./photograph_list.js";
import { setUpPanel, showPanel } from "./counts_panel.js";
import { announce, onChange, refresh, rowsInOrder, store } from "./session_state.js";
import { keys as keyWords, t, translatePage } from "./translations.js";

const byId = (id) => document.getElementById(id);
const on = (id, event, action) => byId(id).addEventListener(event, action);
const REST_MS = 250;
const ZOOM = 1.5;

let asTable = false;
let opening = null;
let resting;

const say = (sentence) => {
  byId("status").textContent = sentence;
};

const editor = new Editor(byId("canvas"), byId("hover"), {
  say,
  moved: () => {
    clearTimeout(resting);
    resting = setTimeout(() => writeLocationHash(asTable, editor), REST_MS);
  },
  leave: () => leave(),
  turn: (direction) => turn(direction),
});
const keys = new Keys(editor);

// --- what is open

async function followLocationHash() {
  const { id, place, ...rest } = readLocationHash();
  asTable = rest.asTable;
  editor.showBoxes = rest.showBoxes;
  if (id && store.rows.get(id)?.state === "done") await open(id, { place, push: false });
  else if (editor.photograph) leave(false);
  else announce();
}

async function open(id, { place, push = true } = {}) {
  if (opening) return;
  opening = id;
  try {
    byId("overview").hidden = true;
    byId("viewer").hidden = false;
    await editor.open(id, place);
    announce();
    if (push) {
      writeLocationHash(asTable, editor, true);
      byId("canvas").focus();
    }
  } catch (error) {
    say(error.message);
    leave(false);
  } finally {
    opening = null;
  }
}

function reopen(id) {
  const { view } = editor;
  open(id, { place: view.fitted ? undefined : { ...view.center(), scale: view.scale }, push: false });
}

function leave(push = true) {
  const id = editor.photograph?.row.id;
  editor.close();
  byId("viewer").hidden = true;
  byId("overview").hidden = false;
  announce();
  if (push) {
    writeLocationHash(asTable, editor, true);
    document.querySelector(`button[data-opens="${id}"]`)?.focus();
  }
}

function turn(direction) {
  const ready = rowsInOrder().filter((row) => row.state === "done");
  const at = ready.findIndex((row) => row.id === editor.photograph?.row.id);
  const next = ready[at + direction];
  if (next) open(next.id);
}

// --- showing

function show() {
  byId("offline").hidden = store.online;
  if (editor.photograph) {
    const row = store.rows.get(editor.photograph.row.id);
    if (!row) {
      leave(false);
      return;
    }
    if (row.state === "done") {
      // Another time means that it was counted anew, with another pixel size.
      if (row.seconds !== editor.photograph.row.seconds) reopen(row.id);
      editor.photograph.row = row;
    }
    editor.recount();
    showToolbar(editor);
  } else showOverview();
  byId("annotated").hidden = !editor.photograph;
  if (store.classes.length) showPanel(editor);
  showProgress();
}

function showOverview() {
  byId("as-cards").setAttribute("aria-pressed", String(!asTable));
  byId("as-table").setAttribute("aria-pressed", String(asTable));
  byId("cards").hidden = asTable;
  byId("table-place").hidden = !asTable;
  if (asTable) showTable(byId("table"), open);
  else showCards(byId("cards"), open);
}

// --- buttons and keys

function setUpOverview() {
  const choose = (table) => {
    asTable = table;
    writeLocationHash(asTable, editor);
    announce();
  };
  on("as-cards", "click", () => choose(false));
  on("as-table", "click", () => choose(true));
}

function setUpMenus() {
  const list = keyWords.flatMap(([key, what]) => [
    element("dt", { textContent: key }),
    element("dd", { textContent: what }),
  ]);
  byId("help-text").append(element("dl", {}, ...list));
  on("downloads", "toggle", async () => {
    if (byId("downloads").open) byId("command").value = (await api.command()).trim();
  });
  on("copy", "click", async () => {
    byId("command").select();
    await navigator.clipboard?.writeText(byId("command").value);
    say(t("copied"));
  });
  addEventListener("pointerdown", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

function setUpViewer() {
  on("back", "click", () => leave());
  on("previous", "click", () => turn(-1));
  on("next", "click", () => turn(1));
  on("undo", "click", () => editor.undo());
  on("redo", "click", () => editor.redo());
  on("zoom-in", "click", () => editor.zoom(ZOOM));
  on("zoom-out", "click", () => editor.zoom(1 / ZOOM));
  on("fit", "click", () => editor.view.fit());
  on("delete", "click", () => editor.remove());
  on("show-boxes", "change", () => editor.toggleBoxes());
  for (const name of ["look", "area", "add"]) on(`tool-${name}`, "click", () => editor.useTool(name));
}

function setUpKeys() {
  addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
      return;
    }
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    if (keys.down(event)) event.preventDefault();
  });
  addEventListener("keyup", (event) => keys.up(event));
}

translatePage();
setUpFileDrop();
setUpOverview();
setUpMenus();
setUpViewer();
setUpKeys();
setUpPanel(say);
onChange(show);
addEventListener("popstate", followLocationHash);
await refresh();
await followLocationHash();
