// How photographs come to the page: dropped anywhere on it, or chosen in a dialogue.

import { api } from "./api.js";
import { refresh } from "./session_state.js";
import { t } from "./translations.js";
import { cancelUploads, fromDrop, fromInput, upload, uploadsLeft } from "./upload.js";

const byId = (id) => document.getElementById(id);

export function setUpFileDrop() {
  for (const [button, id] of [["add-files", "files"], ["add-folder", "folder"]]) {
    byId(button).addEventListener("click", () => byId(id).click());
    byId(id).addEventListener("change", (event) => {
      upload(fromInput(event.target.files));
      event.target.value = "";
    });
  }
  takeDrops();
  byId("cancel").addEventListener("click", async () => {
    cancelUploads();
    await api.cancel();
    refresh();
  });
  byId("resume").addEventListener("click", () => api.resume().then(refresh));
  // What is not sent yet is known to this page alone: the browser asks before it goes.
  addEventListener("beforeunload", (event) => {
    if (uploadsLeft()) event.preventDefault();
  });
}

function takeDrops() {
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
}
