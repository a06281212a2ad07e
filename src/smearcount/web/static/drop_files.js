// How photographs come to the page: dropped anywhere on it, or chosen in a dialog.

import { api } from "./api.js";
import { byId } from "./dom.js";
import { act } from "./session_state.js";
import { t } from "./translations.js";
import { cancelUploads, filesOfDrop, filesOfInput, upload, uploadsLeft } from "./upload.js";

export function setUpFileDrop() {
  for (const [button, id] of [
    ["add-files", "files"],
    ["add-folder", "folder"],
  ]) {
    const input = byId(id, HTMLInputElement);
    byId(button).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      upload(filesOfInput(input.files ?? []));
      input.value = "";
    });
  }
  listenForDrops();
  byId("cancel").addEventListener("click", () => {
    cancelUploads();
    act(api.cancel);
  });
  byId("resume").addEventListener("click", () => act(api.resume));
  // Only this page knows what is not sent yet: the browser asks before it leaves the page.
  addEventListener("beforeunload", (event) => {
    if (uploadsLeft()) event.preventDefault();
  });
}

function listenForDrops() {
  let depth = 0;
  /** @param {number} step how many more elements the pointer is in; 0 ends the dragging */
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
    if (event.dataTransfer) upload(await filesOfDrop(event.dataTransfer));
  });
}
