// What the page knows of the session, kept in step with the server.

import { api } from "./api.js";

const BUSY_MS = 100;
const IDLE_MS = 4000;

export const store = {
  revision: -1,
  classes: [],
  settings: { thresholds: null, edge: "all", pixel_size_um: null },
  uploadLimit: Infinity,
  pixelSizes: [0, Infinity],
  flags: {},
  rows: new Map(),
  order: [],
  online: true,
};

const listeners = new Set();
let timer;
let asking;

export function onChange(listener) {
  listeners.add(listener);
}

export function announce() {
  for (const listener of listeners) listener();
}

export const busy = () =>
  [...store.rows.values()].some((row) => row.state === "waiting" || row.state === "counting");

export function thresholds() {
  return store.settings.thresholds ?? store.classes.map((one) => one.threshold);
}

export function putRow(row) {
  store.rows.set(row.id, row);
}

// The rows in the order of the server; one that it has not told yet comes last.
export function rowsInOrder() {
  const known = store.order.filter((id) => store.rows.has(id));
  return [...new Set([...known, ...store.rows.keys()])].map((id) => store.rows.get(id));
}

// Asks what changed, tells the listeners, and asks again after a while.
export function refresh() {
  asking ??= askOnce().finally(() => {
    asking = undefined;
  });
  return asking;
}

// Settings changed here must not be overwritten by what the server knew before it got them.
let localSettings = 0;
let savedSettings = 0;

async function askOnce() {
  clearTimeout(timer);
  const wasOnline = store.online;
  const asked = savedSettings;
  try {
    const answer = await api.session(store.revision);
    store.online = true;
    // A server that was started again counts its revisions anew.
    const restarted = answer.revision < store.revision;
    const news = restarted ? await api.session(-1) : answer;
    if (restarted) store.rows.clear();
    const changed = news.revision !== store.revision || restarted || !wasOnline;
    store.revision = news.revision;
    store.classes = news.classes;
    store.uploadLimit = news.upload_limit_bytes;
    store.pixelSizes = news.pixel_sizes_um;
    store.flags = news.flags;
    if (asked === localSettings) store.settings = news.settings;
    for (const row of news.photographs) putRow(row);
    for (const id of news.removed) store.rows.delete(id);
    store.order = news.order ?? store.order;
    if (changed) announce();
  } catch {
    store.online = false;
    announce();
  } finally {
    timer = setTimeout(refresh, busy() ? BUSY_MS : IDLE_MS);
  }
}

let saving = Promise.resolve();
let saveTimer;

// Shows settings at once, and saves them when the hand rests.
export function changeSettings(changes) {
  store.settings = { ...store.settings, ...changes };
  localSettings += 1;
  announce();
  clearTimeout(saveTimer);
  saveTimer = setTimeout(saveSettings, 120);
}

async function saveSettings() {
  saveTimer = undefined;
  const mine = localSettings;
  saving = saving.then(() => api.settings(store.settings)).catch(() => undefined);
  await saving;
  if (mine !== localSettings) return;
  savedSettings = mine;
  await refresh();
}

window.addEventListener("pagehide", () => {
  if (!saveTimer) return;
  fetch("api/settings", {
    method: "PUT",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(store.settings),
  });
});
