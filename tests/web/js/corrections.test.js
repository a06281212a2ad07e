import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { sendCorrection } from "../../../src/smearcount/web/static/corrections.js";

/** @import { PhotographBody } from "../../../src/smearcount/web/static/api.js" */

mock.timers.enable({ apis: ["setTimeout"] }); // so that no poll comes later
const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

/** @type {(log_length?: number) => PhotographBody} */
const photographOf = (log_length = 0) =>
  /** @type {PhotographBody} */ (/** @type {unknown} */ ({ row: { id: "a" }, log_length }));

/**
 * Answers corrections as a server that has no others does.
 * @param {(path: string, body: any) => Response} answer
 */
function serve(answer) {
  /** @type {any[]} */
  const sent = [];
  globalThis.fetch = async (path, options) => {
    if (String(path).startsWith("api/session")) throw new TypeError("not asked in this test");
    const body = options?.body ? JSON.parse(String(options.body)) : undefined;
    sent.push(body);
    return answer(String(path), body);
  };
  return sent;
}

/** @type {(log_length: number) => Response} */
const corrected = (log_length) =>
  Response.json({ row: { id: "a" }, removed: [], added: [], excluded: {}, log_length });

test("a correction is made when its turn comes, on top of the answer to the one before", async () => {
  const photograph = photographOf(4);
  const sent = serve((_, body) => corrected(body.after + 1));
  /** @type {number[]} */
  const seen = [];
  const send = () =>
    sendCorrection(
      photograph,
      () => {
        seen.push(photograph.log_length);
        return { kind: "undo" };
      },
      () => {},
      assert.fail,
    );
  await Promise.all([send(), send(), send()]);
  assert.deepEqual(seen, [4, 5, 6]);
  assert.deepEqual(
    sent.map(({ after, kind }) => [after, kind]),
    [
      [4, "undo"],
      [5, "undo"],
      [6, "undo"],
    ],
  );
});

test("nothing is sent where nothing is left to do", async () => {
  const sent = serve(() => corrected(1));
  await sendCorrection(
    photographOf(),
    () => null,
    () => assert.fail(),
    assert.fail,
  );
  assert.deepEqual(sent, []);
});

test("a refusal is shown, and the next correction is sent all the same", async () => {
  const photograph = photographOf();
  /** @type {string[]} */
  const shown = [];
  let refused = true;
  serve(() =>
    refused
      ? Response.json({ detail: "There is nothing to redo." }, { status: 400 })
      : corrected(1),
  );
  const show = (/** @type {string} */ sentence) => shown.push(sentence);
  await sendCorrection(
    photograph,
    () => ({ kind: "redo" }),
    () => assert.fail(),
    show,
  );
  refused = false;
  await sendCorrection(
    photograph,
    () => ({ kind: "undo" }),
    () => {},
    show,
  );
  assert.deepEqual(shown, ["There is nothing to redo."]);
  assert.equal(photograph.log_length, 1);
});

test("after a correction in another window, that one is taken over and the user told", async () => {
  const photograph = photographOf();
  /** @type {string[]} */
  const shown = [];
  /** @type {number[]} */
  const added = [];
  serve((path) =>
    path.endsWith("corrections") ? new Response("{}", { status: 409 }) : corrected(7),
  );
  await sendCorrection(
    photograph,
    () => ({ kind: "undo" }),
    (n) => added.push(n),
    (sentence) => shown.push(sentence),
  );
  assert.equal(photograph.log_length, 7);
  assert.deepEqual(added, [0]);
  assert.match(shown[0], /another window/);
});
