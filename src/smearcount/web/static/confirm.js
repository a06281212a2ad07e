// Asks before something is done that cannot be taken back.

import { byId } from "./dom.js";

/**
 * @param {string} sentence what is about to be done
 * @param {string} yes the word on the button that does it
 * @returns {Promise<boolean>} whether to do it
 */
export function confirmed(sentence, yes) {
  const dialog = byId("confirm", HTMLDialogElement);
  byId("confirm-text").textContent = sentence;
  const button = byId("confirm-yes", HTMLButtonElement);
  button.textContent = yes;
  button.onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close("no");
  dialog.returnValue = "no"; // also after Esc
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}
