// Photographs on their way to the server: from a drop, a file dialog or a folder, a few at a time.

import { api, NoAnswer } from "./api.js";
import { notify, putRow, refresh, session } from "./session_state.js";
import { t } from "./translations.js";

/** @typedef {{ file: File, name: string }} NamedFile */

const UPLOADS_AT_ONCE = 3;

export const uploads = {
  /** @type {NamedFile[]} */
  waiting: [],
  /** @type {Map<NamedFile, AbortController>} */
  running: new Map(),
  /** @type {Map<string, string>} the reason by name */
  failed: new Map(),
  /** @type {Map<string, number>} files of the last folder that are not sent: how many by suffix */
  skipped: new Map(),
};

export const uploadsLeft = () => uploads.waiting.length + uploads.running.size;

/**
 * Queues files.
 * @param {NamedFile[]} files
 */
export function upload(files) {
  for (const { file, name } of files) {
    uploads.failed.delete(name);
    uploads.waiting.push({ file, name });
  }
  notify();
  while (uploads.running.size < UPLOADS_AT_ONCE && uploads.waiting.length) sendNext();
}

export function cancelUploads() {
  uploads.waiting.length = 0;
  for (const control of uploads.running.values()) control.abort();
}

/**
 * Takes a failed upload off the page.
 * @param {string} name
 */
export function forgetFailed(name) {
  uploads.failed.delete(name);
  notify();
}

async function sendNext() {
  const next = uploads.waiting.shift();
  if (!next) return;
  const control = new AbortController();
  uploads.running.set(next, control);
  try {
    if (next.file.size > session.uploadLimit) {
      throw new Error(t("tooLarge", { mb: Math.floor(session.uploadLimit / 1e6) }));
    }
    putRow(await api.upload(next.file, next.name, control.signal));
  } catch (problem) {
    const error = /** @type {Error} */ (problem);
    if (error.name !== "AbortError") {
      const isUnsent = error instanceof NoAnswer;
      const reason = isUnsent ? t("notUploaded", { reason: error.message }) : error.message;
      uploads.failed.set(next.name, reason);
    }
  }
  uploads.running.delete(next);
  notify();
  refresh();
  sendNext();
}

/**
 * Returns the files of a file dialog; of a folder, only the pictures.
 * @param {Iterable<File>} list
 * @returns {NamedFile[]}
 */
export function filesOfInput(list) {
  uploads.skipped.clear();
  const files = [...list].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  return files.filter(({ name }) => !name.includes("/") || isPicture(name));
}

/**
 * Whether a file in a folder is a picture that can be read, by its name; notes those that are not.
 * @param {string} path
 */
function isPicture(path) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const suffix = name.slice(name.lastIndexOf(".")).toLowerCase();
  if (session.suffixes.includes(suffix)) return true;
  if (!name.startsWith(".")) uploads.skipped.set(suffix, (uploads.skipped.get(suffix) ?? 0) + 1);
  return false;
}

/**
 * Returns the files of a drop, and the pictures in dropped folders; must be called while the event
 * is handled. What cannot be read is shown like a failed upload, and the rest goes on.
 * @param {DataTransfer} transfer
 * @returns {Promise<NamedFile[]>}
 */
export async function filesOfDrop(transfer) {
  uploads.skipped.clear();
  const roots = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  /** @type {NamedFile[]} */
  const found = [];
  for (const { entry, file } of roots) {
    if (entry?.isDirectory) {
      await readFolder(/** @type {FileSystemDirectoryEntry} */ (entry), found);
    } else if (file) found.push({ file, name: file.name });
  }
  return found;
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {NamedFile[]} found gets the pictures
 */
async function readFolder(folder, found) {
  const reader = folder.createReader();
  for (;;) {
    /** @type {FileSystemEntry[] | null} */
    const part = await orFailed(folder, (resolve, reject) => reader.readEntries(resolve, reject));
    if (!part?.length) return;
    for (const entry of part) {
      if (entry.isDirectory) {
        await readFolder(/** @type {FileSystemDirectoryEntry} */ (entry), found);
      } else if (isPicture(entry.name)) {
        const { file: read } = /** @type {FileSystemFileEntry} */ (entry);
        /** @type {File | null} */
        const file = await orFailed(entry, read.bind(entry));
        if (file) found.push({ file, name: nameOf(entry) });
      }
    }
  }
}

/** @param {FileSystemEntry} entry */
const nameOf = (entry) => entry.fullPath.replace(/^\//, "");

/**
 * @template T
 * @param {FileSystemEntry} entry
 * @param {(resolve: (value: T) => void, reject: (error: Error) => void) => void} read
 * @returns {Promise<T | null>}
 */
async function orFailed(entry, read) {
  try {
    return await new Promise(read);
  } catch (error) {
    const reason = /** @type {Error} */ (error).message;
    uploads.failed.set(nameOf(entry), t("notUploaded", { reason }));
    return null;
  }
}
