// The bars of buttons above the open photograph, and the progress of all.

import { legendMark } from "./class_marks.js";
import { element } from "./photograph_list.js";
import { store } from "./session_state.js";
import { cellName, number, t } from "./translations.js";
import { uploadsLeft } from "./upload.js";

const byId = (id) => document.getElementById(id);

export function showToolbar(editor) {
  const { photograph, tool, label, selection } = editor;
  byId("photograph-name").textContent = photograph.row.name;
  enable("undo", photograph.can_undo);
  enable("redo", photograph.can_redo);
  enable("delete", selection.size > 0);
  byId("show-boxes").checked = editor.showBoxes;
  byId("annotated").href = editor.annotatedAddress();
  for (const name of ["look", "area", "add"]) {
    byId(`tool-${name}`).setAttribute("aria-pressed", String(tool === name));
  }
  byId("stage").dataset.tool = tool;
  const place = byId("class-buttons");
  if (place.childElementCount !== store.classes.length) makeClassButtons(place, editor);
  const labels = new Set([...selection].map((index) => editor.cells.labels[index]));
  const current = labels.size === 1 ? [...labels][0] : labels.size ? 0 : label;
  for (const [index, button] of [...place.children].entries()) {
    button.setAttribute("aria-pressed", String(index + 1 === current));
  }
}

// A button that goes out under the keyboard hands the focus to the photograph.
function enable(id, on) {
  const button = byId(id);
  const focused = document.activeElement === button;
  button.disabled = !on;
  if (focused && !on) byId("canvas").focus();
}

function makeClassButtons(place, editor) {
  const made = store.classes.map(({ name, color }, index) => {
    const button = element("button", {}, legendMark(index + 1, color), cellName(name));
    button.addEventListener("click", () => editor.relabel(index + 1));
    return button;
  });
  place.replaceChildren(...made);
}

export function showProgress() {
  const rows = [...store.rows.values()];
  const open = rows.filter((row) => row.state === "waiting" || row.state === "counting").length;
  const all = rows.filter((row) => row.state !== "cancelled").length + uploadsLeft();
  const done = all - open - uploadsLeft();
  byId("progress").hidden = !(open + uploadsLeft());
  byId("bar").max = Math.max(all, 1);
  byId("bar").value = done;
  byId("progress-text").textContent = t("progressText", { done: number(done), all: number(all) });
  byId("labels").hidden = !rows.some((row) => row.corrections);
  byId("resume").hidden = !rows.some((row) => row.state === "cancelled");
}
