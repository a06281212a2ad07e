// The part of the address after "#" keeps what is open and in view, so that a reload loses nothing.

/** @import { Place } from "./viewport.js" */
/** @import { Editor } from "./editor.js" */

/** Returns what the address says is open. */
export function readLocationHash() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const [x, y, scale] = (fields.get("at") ?? "").split(",").map(Number);
  /** @type {Place | undefined} */
  const place = scale > 0 && Number.isFinite(x + y + scale) ? { x, y, scale } : undefined;
  return {
    asTable: fields.get("view") === "table",
    id: fields.get("photograph"),
    place,
    showBoxes: fields.get("boxes") !== "off",
  };
}

/**
 * Writes what is open into the address.
 * @param {boolean} asTable whether the photographs are listed as a table
 * @param {Editor} editor
 * @param {boolean} push whether the browser's back button goes back to before
 */
export function writeLocationHash(asTable, editor, push = false) {
  const fields = new URLSearchParams();
  if (asTable) fields.set("view", "table");
  if (editor.photograph) {
    fields.set("photograph", editor.photograph.row.id);
    const { viewport } = editor;
    const { x, y } = viewport.center();
    const at = [x.toFixed(1), y.toFixed(1), viewport.scale.toPrecision(5)];
    if (!viewport.fitted) fields.set("at", at.join(","));
  }
  if (!editor.showBoxes) fields.set("boxes", "off");
  const hash = `#${fields}`;
  if (hash === (location.hash || "#")) return;
  if (push) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}
