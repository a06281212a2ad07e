// The buttons above the open photograph, and the progress of all photographs.

/** @import { Editor } from "./editor.js" */

import { annotatedUrl } from "./api.js";
import { legendMark } from "./class_marks.js";
import { byId, element } from "./dom.js";
import { summaryOf } from "./photograph_list.js";
import { session } from "./session_state.js";
import { cellName, number, t } from "./translations.js";
import { uploadsLeft } from "./upload.js";

/** @param {Editor} editor */
export function showToolbar(editor) {
  const { photograph, cells, tool, label, selection } = editor;
  if (!photograph || !cells) return;
  byId("photograph-name").textContent = photograph.row.name;
  enable("undo", photograph.can_undo);
  enable("redo", photograph.can_redo);
  enable("delete", selection.size > 0);
  byId("leave-out").textContent = t(photograph.row.left_out ? "takeIn" : "leaveOut");
  byId("show-boxes", HTMLInputElement).checked = editor.showBoxes;
  byId("annotated", HTMLAnchorElement).href = annotatedUrl(photograph.row.id);
  for (const name of ["look", "area", "add"]) {
    byId(`tool-${name}`).setAttribute("aria-pressed", String(tool === name));
  }
  byId("stage").dataset.tool = tool;
  const place = byId("class-buttons");
  if (place.childElementCount !== session.classes.length) makeClassButtons(place, editor);
  const labels = new Set([...selection].map((index) => cells.labels[index]));
  if (tool === "add") labels.clear();
  const current = labels.size === 0 ? label : labels.size === 1 ? [...labels][0] : 0;
  for (const [index, button] of [...place.children].entries()) {
    button.setAttribute("aria-pressed", String(index + 1 === current));
  }
}

/**
 * Enables or disables a button; if it has the focus and is disabled, the photograph gets the focus.
 * @param {string} id
 * @param {boolean} on
 */
function enable(id, on) {
  const button = byId(id, HTMLButtonElement);
  const hasFocus = document.activeElement === button;
  button.disabled = !on;
  if (hasFocus && !on) byId("canvas").focus();
}

/**
 * @param {HTMLElement} place
 * @param {Editor} editor
 */
function makeClassButtons(place, editor) {
  const made = session.classes.map(({ name, color }, index) => {
    const button = element("button", {}, legendMark(index + 1, color), cellName(name));
    button.addEventListener("click", () => editor.chooseClass(index + 1));
    return button;
  });
  place.replaceChildren(...made);
}

export function showProgress() {
  const rows = [...session.rows.values()];
  const open = rows.filter((row) => row.state === "waiting" || row.state === "counting").length;
  const all = rows.filter((row) => row.state !== "canceled").length + uploadsLeft();
  const done = all - open - uploadsLeft();
  const bar = byId("bar", HTMLProgressElement);
  byId("progress").hidden = !(open + uploadsLeft());
  bar.max = Math.max(all, 1);
  bar.value = done;
  byId("progress-text").textContent = t("progressText", { done: number(done), all: number(all) });
  const { open: uncounted } = summaryOf(rows);
  byId("partial-note").hidden = !uncounted;
  byId("partial-note").textContent = t("partial", { n: number(uncounted) });
  byId("remove-all").hidden = !rows.length;
  byId("labels").hidden = !rows.some((row) => row.corrections);
  byId("resume").hidden = !rows.some((row) => row.state === "canceled");
}
