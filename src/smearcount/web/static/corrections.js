// Sends corrections, one after the other; what is shown is what the server has on its disk.

import { api } from "./api.js";
import { announce, putRow, refresh } from "./session_state.js";
import { t } from "./translations.js";

let queue = Promise.resolve();

// Queues an edit {remove, add}, an undo or a redo. `make` returns it when its turn comes, or null if
// nothing is left to do; `take` then hears that the photograph's corrections are up to date, and how
// many cells this one added; `say` gets why it was refused.
export function send(photograph, make, take, say) {
  queue = queue.then(() => sendNow(photograph, make, take, say));
  return queue;
}

async function sendNow(photograph, make, take, say) {
  const correction = make();
  if (!correction) return;
  const { id } = photograph.row;
  const body = { after: photograph.log_length, kind: "edit", remove: [], add: [], ...correction };
  try {
    accept(photograph, await api.correct(id, body));
    take(body.add.length);
  } catch (error) {
    await explain(error, photograph, take, say);
  }
  announce();
  refresh();
}

async function explain(error, photograph, take, say) {
  if (error.status !== 409) return say(error.message);
  try {
    accept(photograph, await api.photograph(photograph.row.id));
    take(0);
    say(t("outdated"));
  } catch (unanswered) {
    say(unanswered.message);
  }
}

function accept(photograph, { row, removed, added, excluded, log_length, can_undo, can_redo }) {
  putRow(row);
  Object.assign(photograph, { row, removed, added, excluded, log_length, can_undo, can_redo });
}
