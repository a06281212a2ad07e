// Puts the page together: what is open, and what the buttons and keys do.

/** @import { Tool } from "./editor.js" */
/** @import { Place } from "./viewport.js" */

import { api } from "./api.js";
import { setUpPanel, showPanel } from "./counts_panel.js";
import { byId, element } from "./dom.js";
import { setUpFileDrop } from "./drop_files.js";
import { Editor } from "./editor.js";
import { Keyboard } from "./keyboard.js";
import { readLocationHash, writeLocationHash } from "./location_hash.js";
import { showCards, showTable } from "./photograph_list.js";
import { act, notify, onChange, refresh, rowsInOrder, session } from "./session_state.js";
import { showMessage } from "./status_line.js";
import { showProgress, showToolbar } from "./toolbar.js";
import { keyDescriptions, t, translatePage } from "./translations.js";

/** @type {(id: string, event: string, action: () => void) => void} */
const on = (id, event, action) => byId(id).addEventListener(event, action);
const WRITE_HASH_AFTER_MS = 250;
const ZOOM = 1.5;

let asTable = false;
/** @type {string | null} */
let opening = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hashTimer;

const editor = new Editor(byId("canvas", HTMLCanvasElement), byId("hover"), {
  showMessage,
  onMove: () => {
    clearTimeout(hashTimer);
    hashTimer = setTimeout(() => writeLocationHash(asTable, editor), WRITE_HASH_AFTER_MS);
  },
  leave: () => leave(),
  turn: (direction) => turn(direction),
});
const keyboard = new Keyboard(editor);

// --- what is open

async function followLocationHash() {
  const { id, place, ...rest } = readLocationHash();
  asTable = rest.asTable;
  editor.showBoxes = rest.showBoxes;
  if (id && session.rows.get(id)?.state === "done") await open(id, { place, push: false });
  else if (editor.photograph) leave(false);
  else notify();
}

/**
 * Opens a photograph.
 * @param {string} id
 * @param {{ place?: Place, push?: boolean }} options where to look; whether "back" returns from it
 */
async function open(id, { place, push = true } = {}) {
  if (opening) return;
  opening = id;
  try {
    byId("overview").hidden = true;
    byId("viewer").hidden = false;
    await editor.open(id, place);
    notify();
    if (push) {
      writeLocationHash(asTable, editor, true);
      byId("canvas").focus();
    }
  } catch (error) {
    showMessage(/** @type {Error} */ (error).message);
    leave(false);
  } finally {
    opening = null;
  }
}

/** @param {string} id */
function reopen(id) {
  const { viewport } = editor;
  const place = viewport.fitted ? undefined : { ...viewport.center(), scale: viewport.scale };
  open(id, { place, push: false });
}

/**
 * Goes back to all photographs.
 * @param {boolean} push whether the browser's back button returns to this one
 */
function leave(push = true) {
  const id = editor.photograph?.row.id;
  editor.close();
  byId("viewer").hidden = true;
  byId("overview").hidden = false;
  notify();
  if (push) {
    writeLocationHash(asTable, editor, true);
    /** @type {HTMLElement | null} */
    const button = document.querySelector(`button[data-opens="${id}"]`);
    button?.focus();
  }
}

/** @param {1 | -1} direction */
function turn(direction) {
  const ready = rowsInOrder().filter((row) => row.state === "done");
  const at = ready.findIndex((row) => row.id === editor.photograph?.row.id);
  const next = ready[at + direction];
  if (next) open(next.id);
}

// --- showing

function show() {
  byId("offline").hidden = session.online;
  byId("offline-text").textContent = t(session.isAnother ? "otherSession" : "offline");
  byId("reload").hidden = !session.isAnother;
  const { photograph } = editor;
  if (photograph) {
    const row = session.rows.get(photograph.row.id);
    if (!row) {
      leave(false);
      return;
    }
    if (row.state === "done") {
      // Another time means that it was counted anew, with another pixel size.
      if (row.seconds !== photograph.row.seconds) reopen(row.id);
      photograph.row = row;
    }
    editor.recount();
    showToolbar(editor);
  } else showOverview();
  byId("annotated").hidden = !editor.photograph;
  if (session.classes.length) showPanel(editor);
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
  /** @param {boolean} table */
  const choose = (table) => {
    asTable = table;
    writeLocationHash(asTable, editor);
    notify();
  };
  on("as-cards", "click", () => choose(false));
  on("as-table", "click", () => choose(true));
  on("reload", "click", () => location.replace(location.pathname));
}

function setUpMenus() {
  const list = keyDescriptions.flatMap(([key, what]) => [
    element("dt", { textContent: key }),
    element("dd", { textContent: what }),
  ]);
  byId("help-text").append(element("dl", {}, ...list));
  const downloads = byId("downloads", HTMLDetailsElement);
  const command = byId("command", HTMLTextAreaElement);
  on("downloads", "toggle", async () => {
    if (downloads.open)
      await act(async () => {
        command.value = (await api.command()).trim();
      });
  });
  on("copy", "click", async () => {
    command.select();
    await navigator.clipboard?.writeText(command.value);
    showMessage(t("copied"));
  });
  addEventListener("pointerdown", (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
    }
  });
}

/** @returns {NodeListOf<HTMLDetailsElement>} */
const openMenus = () => document.querySelectorAll("details.menu[open]");

function setUpViewer() {
  on("back", "click", () => leave());
  on("previous", "click", () => turn(-1));
  on("next", "click", () => turn(1));
  on("undo", "click", () => editor.undo());
  on("redo", "click", () => editor.redo());
  on("zoom-in", "click", () => editor.zoom(ZOOM));
  on("zoom-out", "click", () => editor.zoom(1 / ZOOM));
  on("fit", "click", () => editor.viewport.fit());
  on("delete", "click", () => editor.remove());
  on("show-boxes", "change", () => editor.toggleBoxes());
  /** @type {Tool[]} */
  const tools = ["look", "area", "add"];
  for (const tool of tools) on(`tool-${tool}`, "click", () => editor.useTool(tool));
}

function setUpKeys() {
  const takesKeys = "input:not([type=checkbox]), select, textarea";
  addEventListener("keydown", (event) => {
    const [menu] = openMenus();
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      return;
    }
    if (/** @type {Element} */ (event.target).matches(takesKeys)) return;
    if (keyboard.down(event)) event.preventDefault();
  });
  addEventListener("keyup", (event) => keyboard.up(event));
}

translatePage();
setUpFileDrop();
setUpOverview();
setUpMenus();
setUpViewer();
setUpKeys();
setUpPanel();
onChange(show);
addEventListener("popstate", followLocationHash);
await refresh();
await followLocationHash();
