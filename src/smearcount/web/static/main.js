// Puts the page together: what is open, what the buttons do, and the address that remembers it.

import { api } from "./api.js";
import { Editor } from "./editor.js";
import { legendMark } from "./marks.js";
import { element, rowsInOrder, showCards, showTable } from "./overview.js";
import { setUpPanel, showPanel } from "./panel.js";
import { announce, onChange, refresh, store } from "./store.js";
import { cellName, keys, number, t, translatePage } from "./text.js";
import { cancelUploads, fromDrop, fromInput, upload, uploadsLeft } from "./upload.js";

const byId = (id) => document.getElementById(id);
const on = (id, event, action) => byId(id).addEventListener(event, action);
const PLACE_MS = 250;

let asTable = false;
let opening = null;

const say = (sentence) => {
  byId("status").textContent = sentence;
};

const editor = new Editor(byId("canvas"), {
  say,
  moved: () => rememberPlace(),
  leave: () => leave(),
  turn: (direction) => turn(direction),
});

// --- what is open, kept in the address

let placeTimer;

function rememberPlace() {
  clearTimeout(placeTimer);
  placeTimer = setTimeout(() => writeAddress(), PLACE_MS);
}

function writeAddress(push = false) {
  const words = new URLSearchParams();
  if (asTable) words.set("view", "table");
  if (editor.photograph) {
    words.set("photograph", editor.photograph.row.id);
    const { x, y } = editor.viewer.centre();
    if (!editor.viewer.fitted) {
      words.set("at", [x.toFixed(1), y.toFixed(1), editor.viewer.view.scale.toPrecision(5)].join(","));
    }
  }
  const address = `#${words}`;
  if (address === (location.hash || "#")) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

async function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  asTable = words.get("view") === "table";
  const id = words.get("photograph");
  const [x, y, scale] = (words.get("at") ?? "").split(",").map(Number);
  const place = scale > 0 && Number.isFinite(x + y + scale) ? { x, y, scale } : undefined;
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
      writeAddress(true);
      byId("canvas").focus();
    }
  } catch (error) {
    say(error.message);
    leave(false);
  } finally {
    opening = null;
  }
}

function leave(push = true) {
  const id = editor.photograph?.row.id;
  editor.close();
  byId("viewer").hidden = true;
  byId("overview").hidden = false;
  announce();
  if (push) {
    writeAddress(true);
    const name = store.rows.get(id)?.name;
    if (name) document.querySelector(`[aria-label="${CSS.escape(t("openNamed", { name }))}"]`)?.focus();
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
    if (row.state === "done") editor.photograph.row = row;
    editor.recount();
    showViewerBars();
  } else {
    byId("as-cards").setAttribute("aria-pressed", String(!asTable));
    byId("as-table").setAttribute("aria-pressed", String(asTable));
    byId("cards").hidden = asTable;
    byId("table-place").hidden = !asTable;
    if (asTable) showTable(byId("table"), open);
    else showCards(byId("cards"), open);
  }
  if (store.classes.length) showPanel(editor);
  showProgress();
}

function showViewerBars() {
  const { photograph, tool, label, selection } = editor;
  byId("photograph-name").textContent = photograph.row.name;
  byId("undo").disabled = !photograph.can_undo;
  byId("redo").disabled = !photograph.can_redo;
  byId("delete").disabled = !selection.size;
  byId("show-boxes").checked = editor.showBoxes;
  byId("annotated").href = editor.annotatedAddress();
  for (const name of ["look", "area", "add"]) {
    byId(`tool-${name}`).setAttribute("aria-pressed", String(tool === name));
  }
  byId("stage").dataset.tool = tool;
  const place = byId("class-buttons");
  if (place.childElementCount !== store.classes.length) makeClassButtons(place);
  const labels = new Set([...selection].map((index) => editor.cells.labels[index]));
  const current = labels.size === 1 ? [...labels][0] : labels.size ? 0 : label;
  for (const [index, button] of [...place.children].entries()) {
    button.setAttribute("aria-pressed", String(index + 1 === current));
  }
}

function makeClassButtons(place) {
  const made = store.classes.map(({ name, colour }, index) => {
    const button = element("button", {}, legendMark(index + 1, colour), cellName(name));
    button.addEventListener("click", () => editor.relabel(index + 1));
    return button;
  });
  place.replaceChildren(...made);
}

function showProgress() {
  const rows = [...store.rows.values()];
  const open = rows.filter((row) => row.state === "waiting" || row.state === "counting").length;
  const all = rows.filter((row) => row.state !== "cancelled").length + uploadsLeft();
  const done = all - open - uploadsLeft();
  byId("progress").hidden = !(open + uploadsLeft());
  byId("bar").max = Math.max(all, 1);
  byId("bar").value = done;
  byId("progress-text").textContent = t("progressText", { done: number(done), all: number(all) });
  byId("resume").hidden = !rows.some((row) => row.state === "cancelled");
  byId("annotated").hidden = !editor.photograph;
}

// --- buttons, drops and keys

function setUpAdding() {
  on("add-files", "click", () => byId("files").click());
  on("add-folder", "click", () => byId("folder").click());
  for (const id of ["files", "folder"]) {
    on(id, "change", (event) => {
      upload(fromInput(event.target.files));
      event.target.value = "";
    });
  }
  let depth = 0;
  const dragging = (step) => {
    depth = Math.max(0, step ? depth + step : 0);
    document.body.classList.toggle("dragging", depth > 0);
    byId("drop").textContent = t(depth > 0 ? "dropNow" : "drop");
  };
  addEventListener("dragenter", () => dragging(1));
  addEventListener("dragleave", () => dragging(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    dragging(0);
    upload(await fromDrop(event.dataTransfer));
  });
  on("cancel", "click", async () => {
    cancelUploads();
    await api.cancel();
    refresh();
  });
  on("resume", "click", () => api.resume().then(refresh));
}

function setUpMenus() {
  byId("help-text").append(
    element("dl", {}, ...keys.flatMap(([key, what]) => [
      element("dt", { textContent: key }),
      element("dd", { textContent: what }),
    ])),
  );
  on("takeaway", "toggle", async () => {
    if (byId("takeaway").open) byId("command").value = (await api.command()).trim();
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
  const { viewer } = editor;
  on("back", "click", () => leave());
  on("previous", "click", () => turn(-1));
  on("next", "click", () => turn(1));
  on("undo", "click", () => editor.undo());
  on("redo", "click", () => editor.redo());
  on("zoom-in", "click", () => editor.zoom(1.5));
  on("zoom-out", "click", () => editor.zoom(1 / 1.5));
  on("fit", "click", () => viewer.fit());
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
    if (editor.key(event)) event.preventDefault();
  });
  addEventListener("keyup", (event) => editor.keyUp(event));
}

function setAsTable(table) {
  asTable = table;
  writeAddress();
  announce();
}

translatePage();
setUpAdding();
setUpMenus();
setUpViewer();
setUpKeys();
setUpPanel(say);
on("as-cards", "click", () => setAsTable(false));
on("as-table", "click", () => setAsTable(true));
onChange(show);
addEventListener("popstate", readAddress);
await refresh();
await readAddress();
