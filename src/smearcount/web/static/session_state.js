// What the page knows of the session, kept in step with the server.

/** @import { ClassRow, PhotographRow, SessionBody, SettingsBody } from "./api.js" */

import { api, NoAnswer, nameSession, OTHER_SESSION, Refusal } from "./api.js";
import { showMessage } from "./status_line.js";

const POLL_WHILE_COUNTING_MS = 100;
const POLL_MS = 4000;
const SAVE_AFTER_MS = 120;

export const session = {
  revision: -1,
  /** @type {ClassRow[]} */
  classes: [],
  /** @type {SettingsBody} */
  settings: { thresholds: null, edge: "all", pixel_size_um: null },
  uploadLimit: Number.POSITIVE_INFINITY,
  /** @type {[number, number]} */
  pixelSizes: [0, Number.POSITIVE_INFINITY],
  /** @type {Record<string, string>} */
  flags: {},
  /** @type {string[]} of the names of pictures that can be read */
  suffixes: [],
  /** @type {Map<string, PhotographRow>} */
  rows: new Map(),
  /** @type {string[]} */
  order: [],
  online: true,
  id: "",
  run: "",
  isAnother: false, // the server has another session than this page shows
};

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pollTimer;
/** @type {Promise<void> | undefined} */
let polling;

/** @param {() => void} listener */
export function onChange(listener) {
  listeners.add(listener);
}

/** Tells every listener that something changed. */
export function notify() {
  for (const listener of listeners) listener();
}

function isCounting() {
  return [...session.rows.values()].some(
    (row) => row.state === "waiting" || row.state === "counting",
  );
}

/** Returns the score of each class from which a detection counts. */
export function thresholds() {
  return session.settings.thresholds ?? session.classes.map((one) => one.threshold);
}

/** @param {PhotographRow} row */
export function putRow(row) {
  session.rows.set(row.id, row);
}

/**
 * Returns the rows in the server's order; those that it has not ordered yet come last.
 * @returns {PhotographRow[]}
 */
export function rowsInOrder() {
  const ids = new Set([...session.order, ...session.rows.keys()]);
  return [...ids].map((id) => session.rows.get(id)).filter((row) => row !== undefined);
}

/** Asks what changed, tells the listeners, and asks again after a while. */
export function refresh() {
  polling ??= poll().finally(() => {
    polling = undefined;
  });
  return polling;
}

/**
 * Makes a request, shows why if it fails, and asks what changed.
 * @param {() => Promise<unknown>} request
 */
export async function act(request) {
  try {
    await request();
  } catch (error) {
    showMessage(/** @type {Error} */ (error).message);
  }
  await refresh();
}

// Settings changed here must not be overwritten by those that the server had before it got them.
let changesMade = 0;
let changesSaved = 0;

async function poll() {
  clearTimeout(pollTimer);
  if (session.isAnother) return;
  const wasOnline = session.online;
  const savedBefore = changesSaved;
  try {
    const answer = await api.session(session.revision);
    session.online = true;
    // A server that was started again counts its revisions anew.
    const restarted = session.run !== "" && answer.run !== session.run;
    const news = restarted ? await api.session(-1) : answer;
    if (restarted) session.rows.clear();
    const changed = news.revision !== session.revision || restarted || !wasOnline;
    takeOver(news, savedBefore === changesMade);
    if (changesSaved !== changesMade && !saveTimer) saveTimer = setTimeout(saveSettings);
    if (changed) notify();
  } catch (error) {
    session.isAnother = error instanceof Refusal && error.status === OTHER_SESSION;
    session.online = false;
    notify();
  } finally {
    pollTimer = setTimeout(refresh, isCounting() ? POLL_WHILE_COUNTING_MS : POLL_MS);
  }
}

/**
 * @param {SessionBody} news
 * @param {boolean} withSettings
 */
function takeOver(news, withSettings) {
  nameSession(news.session);
  session.id = news.session;
  session.run = news.run;
  session.revision = news.revision;
  session.classes = news.classes;
  session.uploadLimit = news.upload_limit_bytes;
  session.pixelSizes = news.pixel_sizes_um;
  session.flags = news.flags;
  session.suffixes = news.suffixes;
  if (withSettings) session.settings = news.settings;
  for (const row of news.photographs) putRow(row);
  for (const id of news.removed) session.rows.delete(id);
  session.order = news.order ?? session.order;
}

/** @type {Promise<unknown>} */
let saving = Promise.resolve();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let saveTimer;

/**
 * Shows settings at once, and saves them when no further change comes for a moment.
 * @param {Partial<SettingsBody>} changes
 */
export function changeSettings(changes) {
  session.settings = { ...session.settings, ...changes };
  changesMade += 1;
  notify();
  clearTimeout(saveTimer);
  saveTimer = setTimeout(saveSettings, SAVE_AFTER_MS);
}

async function saveSettings() {
  saveTimer = undefined;
  const made = changesMade;
  const sent = saving.then(() => api.settings(session.settings));
  saving = sent.catch(() => undefined);
  try {
    await sent;
  } catch (error) {
    showMessage(/** @type {Error} */ (error).message);
    // Without an answer they are sent once the server answers again; what it refuses is given up.
    if (error instanceof NoAnswer) {
      session.online = false;
      notify();
      return;
    }
    session.revision = -1; // so that the settings shown are the server's again
  }
  if (made !== changesMade) return;
  changesSaved = made;
  await refresh();
}

globalThis.addEventListener?.("pagehide", () => {
  if (changesSaved !== changesMade) api.settingsAtLast(session.settings);
});
