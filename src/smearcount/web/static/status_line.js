// The line at the bottom of the page that says what happened, to eyes and to screen readers.

import { byId } from "./dom.js";

/** @param {string} sentence */
export function showMessage(sentence) {
  if (globalThis.document) byId("status").textContent = sentence;
}
