// Puts the page together: what is open, and what the buttons and keys do.

/** @import { Tool } from "./editor.js" */
/** @import { Place } from "./viewport.js" */

import { api } from "./api.js";
import { setUpPanel, showPanel } from "./counts_panel.js";
import { byId, element } from "./dom.js";
import { setUpFileDrop } from "./drop_files.js";
import { Editor } from "./editor.js";
import { Keyboard, keepsMeaningOnControls } from "./keyboard.js";
import { readLocationHash, writeLocationHash } from "./location_hash.js";
import { removeAll, showCards, showTable, toggleLeftOut } from "./photograph_list.js";
import { act, notify, onChange, refresh, rowsInOrder, session } from "./session_state.js";
import { showMessage } from "./status_line.js";
import { showProgress, showToolbar } from "./toolbar.js";
import { keyDescriptions, t, translatePage } from "./translations.js";
import { uploads } from "./upload.js";

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
      else if (row.log_length !== photograph.log_length) editor.readCorrections();
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
  const skipped = [...uploads.skipped].map(([suffix, n]) => `${n} × ${suffix}`);
  byId("skipped").hidden = !skipped.length;
  byId("skipped").textContent = t("skipped", { files: skipped.join(", ") });
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
  on("remove-all", "click", removeAll);
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
  /** @param {Event} event */
  const closeOthers = (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
    }
  };
  addEventListener("pointerdown", closeOthers);
  addEventListener("focusin", closeOthers);
  downloads.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("a")) downloads.open = false;
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
  on("leave-out", "click", () => {
    if (editor.photograph) toggleLeftOut(editor.photograph.row);
  });
  // After a click the keys are for the photograph; a button pressed by key keeps the focus.
  byId("viewer").addEventListener("click", (event) => {
    const clicked = /** @type {Element} */ (event.target);
    if (event.detail && editor.photograph && clicked.closest("button")) byId("canvas").focus();
  });
  on("show-boxes", "change", () => editor.toggleBoxes());
  /** @type {Tool[]} */
  const tools = ["look", "area", "add"];
  for (const tool of tools) on(`tool-${tool}`, "click", () => editor.useTool(tool));
}

/** @param {Element} target */
const takesText = (target) => target.matches("input:not([type=checkbox]), select, textarea");

function setUpKeys() {
  addEventListener("keydown", (event) => {
    const [menu] = openMenus();
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      return;
    }
    if (byId("confirm", HTMLDialogElement).open) return;
    const target = /** @type {Element} */ (event.target);
    const isFree = target === document.body || target.matches("#canvas, #main");
    if (isFree || (!takesText(target) && keepsMeaningOnControls(event))) {
      if (keyboard.down(event)) event.preventDefault();
    }
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
