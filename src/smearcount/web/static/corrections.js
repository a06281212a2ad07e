// Sends corrections one after the other; the page shows only what the server has on its disk.

/** @import { CorrectedBody, CorrectionBody, PhotographBody } from "./api.js" */

import { api, Refusal } from "./api.js";
import { notify, putRow, refresh } from "./session_state.js";
import { t } from "./translations.js";

/** @typedef {() => Partial<CorrectionBody> | null} MakeCorrection */

/** @type {Promise<void>} */
let queue = Promise.resolve();

/**
 * Queues an edit, an undo or a redo.
 * @param {PhotographBody} photograph is brought up to date with each answer
 * @param {MakeCorrection} make returns the correction when its turn comes; null if there is none
 * @param {(added: number) => void} onAnswer gets how many cells this correction added
 * @param {(sentence: string) => void} showMessage gets the reason for a refusal
 */
export function sendCorrection(photograph, make, onAnswer, showMessage) {
  queue = queue.then(() => sendNow(photograph, make, onAnswer, showMessage));
  return queue;
}

/** @type {typeof sendCorrection} */
async function sendNow(photograph, make, onAnswer, showMessage) {
  try {
    const correction = make();
    if (!correction) return;
    const defaults = { after: photograph.log_length, kind: "edit", remove: [], add: [] };
    const body = /** @type {CorrectionBody} */ ({ ...defaults, ...correction });
    update(photograph, await api.correct(photograph.row.id, body));
    onAnswer(body.add.length);
  } catch (error) {
    await explain(/** @type {Error} */ (error), photograph, onAnswer, showMessage);
  }
  notify();
  refresh();
}

/**
 * Takes over corrections that were made elsewhere, unless an answer brought them meanwhile.
 * @param {PhotographBody} photograph
 * @param {(added: number) => void} onAnswer
 */
export function readCorrections(photograph, onAnswer) {
  queue = queue.then(async () => {
    if (photograph.row.log_length === photograph.log_length) return;
    try {
      update(photograph, await api.photograph(photograph.row.id));
      onAnswer(0);
      notify();
    } catch {
      // The next poll asks again.
    }
  });
  return queue;
}

/**
 * @param {Error} error
 * @param {PhotographBody} photograph
 * @param {(added: number) => void} onAnswer
 * @param {(sentence: string) => void} showMessage
 */
async function explain(error, photograph, onAnswer, showMessage) {
  if (!(error instanceof Refusal && error.status === 409)) {
    showMessage(error.message);
    return;
  }
  try {
    update(photograph, await api.photograph(photograph.row.id));
    onAnswer(0);
    showMessage(t("outdated"));
  } catch (unanswered) {
    showMessage(/** @type {Error} */ (unanswered).message);
  }
}

/**
 * @param {PhotographBody} photograph
 * @param {CorrectedBody} corrected
 */
function update(photograph, corrected) {
  const { row, removed, added, excluded, log_length, can_undo, can_redo } = corrected;
  putRow(row);
  Object.assign(photograph, { row, removed, added, excluded, log_length, can_undo, can_redo });
}
