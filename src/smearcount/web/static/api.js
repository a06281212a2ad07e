// Requests to the server, and the JSON that it answers: see web/schema.py.

import { t } from "./translations.js";

/** @typedef {[number, number, number, number]} Box left, top, right, bottom in image pixels */
/** @typedef {"all" | "inside" | "two-edges"} EdgeRule which cells at the border count */

/**
 * @typedef {object} SettingsBody
 * @property {number[] | null} thresholds one score per class; null takes the model's own
 * @property {EdgeRule} edge
 * @property {number | null} pixel_size_um
 */

/**
 * @typedef {object} Tally
 * @property {number[]} counted cells counted, by class
 * @property {number[]} excluded cells left out by the edge rule, by class
 */

/**
 * @typedef {object} PhotographRow one photograph in the list
 * @property {string} id
 * @property {string} name relative path with "/"
 * @property {"waiting" | "counting" | "done" | "failed" | "canceled"} state
 * @property {string} reason why it failed
 * @property {Tally | null} automatic what the model counts; null before it is done
 * @property {Tally | null} corrected the same with the corrections
 * @property {number} corrections how many stand
 * @property {number} log_length how many there are, undone ones included
 * @property {[number, number][] | null} intervals 95 % interval of the automatic count, by class
 * @property {string[]} flags
 * @property {boolean} left_out whether the user left it out of totals and exports
 * @property {number | null} pixel_size_um its own; null takes that of the session
 * @property {number} seconds
 */

/**
 * @typedef {object} ClassRow
 * @property {string} name
 * @property {string} color "#rrggbb"
 * @property {number} threshold the model's own
 */

/**
 * @typedef {object} SessionBody the whole session, or what changed since a revision
 * @property {string} session which session this is: another folder is another one
 * @property {string} run which run of the server this is
 * @property {number} revision
 * @property {ClassRow[]} classes in label order
 * @property {string} model
 * @property {string} model_sha256
 * @property {SettingsBody} settings
 * @property {PhotographRow[]} photographs those that changed
 * @property {string[]} removed ids
 * @property {string[] | null} order ids in the order to show them; null if it is as before
 * @property {number} upload_limit_bytes
 * @property {[number, number]} pixel_sizes_um the least and the greatest
 * @property {Record<string, string>} flags what each flag means, in English
 * @property {string[]} suffixes of the names of pictures that can be read, such as ".jpg"
 */

/**
 * @typedef {object} AddedCell
 * @property {Box} box
 * @property {number} label 1-based
 */

/**
 * @typedef {object} CorrectedBody the state of a photograph after its corrections
 * @property {PhotographRow} row
 * @property {number[]} removed indices of the detections removed by hand
 * @property {AddedCell[]} added
 * @property {Record<EdgeRule, number[]>} excluded cells that each edge rule leaves out
 * @property {number} log_length how many corrections there are, undone ones included
 * @property {boolean} can_undo
 * @property {boolean} can_redo
 */

/**
 * @typedef {object} FieldOfView the part of a photograph that shows the smear
 * @property {Box[]} edge line segments x0, y0, x1, y1 in image pixels
 * @property {number} covered the share of the photograph that shows no smear
 */

/**
 * @typedef {object} DetectionsOfPhotograph
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {number} levels of the tile pyramid
 * @property {number} tile_side in pixels
 * @property {Box[]} boxes of every detection, best first
 * @property {number[]} scores
 * @property {number[]} labels 1-based
 * @property {number | null} rbc_diameter_px
 * @property {number | null} pixel_size_um
 * @property {"user" | "file" | "estimated" | "assumed"} scale_source
 * @property {string[]} notes
 * @property {FieldOfView | null} field_of_view null if all of it shows the smear
 */

/** @typedef {CorrectedBody & DetectionsOfPhotograph} PhotographBody */

/** @typedef {{ box: Box, label: string }} NamedCell a cell with the name of its class */

/**
 * @typedef {object} CorrectionBody
 * @property {number} after how many corrections the user has seen
 * @property {"edit" | "undo" | "redo"} kind
 * @property {NamedCell[]} remove
 * @property {NamedCell[]} add
 */

/** The server refused a request; the message is its sentence. */
export class Refusal extends Error {
  /**
   * @param {number} status of the HTTP answer
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** No answer came: the server is away. */
export class NoAnswer extends Error {
  constructor() {
    super(t("noAnswer"));
  }
}

/** The status of the answer when another session is served than the one that the page shows. */
export const OTHER_SESSION = 412;

/** @type {Record<string, string>} */
const sessionHeaders = {};

/**
 * Names the session of the page in all requests; the server of another one refuses them.
 * @param {string} id
 */
export function nameSession(id) {
  sessionHeaders["Smearcount-Session"] = id;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object | Blob} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the answer: JSON, text or nothing
 */
async function request(method, path, body, signal) {
  /** @type {RequestInit} */
  const options = { method, signal, headers: { ...sessionHeaders } };
  if (body instanceof Blob) {
    options.body = body;
    options.headers = { ...sessionHeaders, "Content-Type": "application/octet-stream" };
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...sessionHeaders, "Content-Type": "application/json" };
  }
  const answer = await answerTo(path, options);
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const detail = problem.detail;
    throw new Refusal(answer.status, typeof detail === "string" ? detail : answer.statusText);
  }
  if (answer.status === 204) return undefined;
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : answer.text();
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function answerTo(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw /** @type {Error} */ (error).name === "AbortError" ? error : new NoAnswer();
  }
}

const photographs = "api/photographs";

export const api = {
  /** @type {(since: number) => Promise<SessionBody>} */
  session: (since) => request("GET", `api/session?since=${since}`),
  /** @type {(settings: SettingsBody) => Promise<SettingsBody>} */
  settings: (settings) => request("PUT", "api/settings", settings),
  /**
   * Sends settings while the page is being closed.
   * @type {(settings: SettingsBody) => void}
   */
  settingsAtLast: (settings) => {
    const headers = { ...sessionHeaders, "Content-Type": "application/json" };
    const body = JSON.stringify(settings);
    fetch("api/settings", { method: "PUT", keepalive: true, headers, body });
  },
  /** @type {() => Promise<void>} */
  cancel: () => request("POST", "api/cancel"),
  /** @type {() => Promise<void>} */
  resume: () => request("POST", "api/resume"),
  /** @type {(file: File, name: string, signal: AbortSignal) => Promise<PhotographRow>} */
  upload: (file, name, signal) =>
    request("POST", `${photographs}?name=${encodeURIComponent(name)}`, file, signal),
  /** @type {(id: string) => Promise<PhotographBody>} */
  photograph: (id) => request("GET", `${photographs}/${id}`),
  /** @type {(id: string) => Promise<void>} */
  remove: (id) => request("DELETE", `${photographs}/${id}`),
  /** @type {() => Promise<void>} */
  removeAll: () => request("DELETE", photographs),
  /** @type {(id: string, left_out: boolean) => Promise<void>} */
  leaveOut: (id, left_out) => request("PUT", `${photographs}/${id}/left-out`, { left_out }),
  /** @type {(ids: string[], size: number | null) => Promise<void>} */
  pixelSize: (ids, size) =>
    request("PUT", "api/pixel-size", { photographs: ids, pixel_size_um: size }),
  /** @type {(id: string, correction: CorrectionBody) => Promise<CorrectedBody>} */
  correct: (id, correction) => request("POST", `${photographs}/${id}/corrections`, correction),
  /** @type {() => Promise<string>} */
  command: () => request("GET", "api/downloads/command.txt"),
};

/** @param {string} id */
export const thumbnailUrl = (id) => `${photographs}/${id}/thumbnail.jpg`;

/** @param {string} id */
export const annotatedUrl = (id) => `${photographs}/${id}/annotated.png`;

/**
 * @param {string} id
 * @param {number} level
 * @param {number} column
 * @param {number} row
 */
export const tileUrl = (id, level, column, row) =>
  `${photographs}/${id}/tiles/${level}/${column}_${row}.jpg`;
