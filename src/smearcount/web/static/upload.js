// Photographs on their way in: from a drop, a file dialogue or a folder, a few at a time.

import { api } from "./api.js";
import { announce, putRow, refresh, store } from "./session_state.js";
import { t } from "./translations.js";

const AT_ONCE = 3;
const PICTURE = /\.(jpe?g|jfif|png|tiff?|bmp|webp)$/i;

export const uploads = { waiting: [], running: new Map(), failed: new Map() };

export const uploadsLeft = () => uploads.waiting.length + uploads.running.size;

// Queues files; of a folder, only what looks like a picture.
export function upload(entries) {
  for (const { file, name } of entries) {
    uploads.failed.delete(name);
    uploads.waiting.push({ file, name });
  }
  announce();
  while (uploads.running.size < AT_ONCE && uploads.waiting.length) sendNext();
}

export function cancelUploads() {
  uploads.waiting.length = 0;
  for (const control of uploads.running.values()) control.abort();
}

export function forget(name) {
  uploads.failed.delete(name);
  announce();
}

async function sendNext() {
  const entry = uploads.waiting.shift();
  if (!entry) return;
  const control = new AbortController();
  uploads.running.set(entry, control);
  try {
    if (entry.file.size > store.uploadLimit) {
      throw new Error(t("tooLarge", { mb: Math.floor(store.uploadLimit / 1e6) }));
    }
    putRow(await api.upload(entry.file, entry.name, control.signal));
  } catch (error) {
    if (error.name !== "AbortError") {
      const sent = error.name === "TypeError";
      const reason = sent ? t("notUploaded", { reason: error.message }) : error.message;
      uploads.failed.set(entry.name, reason);
    }
  }
  uploads.running.delete(entry);
  announce();
  refresh();
  sendNext();
}

export function fromInput(list) {
  const entries = [...list].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  return entries.filter((entry) => !entry.name.includes("/") || PICTURE.test(entry.name));
}

// Walks dropped folders; must be called while the drop event is being handled. What cannot be read
// is told like a failed upload, and the rest goes on.
export async function fromDrop(transfer) {
  const roots = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  const found = [];
  for (const { entry, file } of roots) {
    if (entry?.isDirectory) await walk(entry, found);
    else if (file) found.push({ file, name: file.name });
  }
  return found;
}

async function walk(folder, found) {
  const reader = folder.createReader();
  for (;;) {
    const part = await orFailed(folder, (...ends) => reader.readEntries(...ends));
    if (!part?.length) return;
    for (const entry of part) {
      if (entry.isDirectory) await walk(entry, found);
      else if (PICTURE.test(entry.name)) {
        const file = await orFailed(entry, (...ends) => entry.file(...ends));
        if (file) found.push({ file, name: nameOf(entry) });
      }
    }
  }
}

const nameOf = (entry) => entry.fullPath.replace(/^\//, "");

async function orFailed(entry, read) {
  try {
    return await new Promise(read);
  } catch (error) {
    uploads.failed.set(nameOf(entry), t("notUploaded", { reason: error.message }));
    return null;
  }
}
