import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  readLocationHash,
  writeLocationHash,
} from "../../../src/smearcount/web/static/location_hash.js";

/** @import { Editor } from "../../../src/smearcount/web/static/editor.js" */

const address = { hash: "" };
/** @type {string[]} */
let pushed = [];

beforeEach(() => {
  address.hash = "";
  pushed = [];
  Object.assign(globalThis, {
    location: address,
    history: {
      pushState: (/** @type {null} */ _, /** @type {string} */ __, /** @type {string} */ hash) => {
        pushed.push(hash);
        address.hash = hash;
      },
      replaceState: (
        /** @type {null} */ _,
        /** @type {string} */ __,
        /** @type {string} */ hash,
      ) => {
        address.hash = hash === "#" ? "" : hash;
      },
    },
  });
});

/** @type {(fields: object) => Editor} */
const editorOf = (fields) => {
  const viewport = { center: () => ({ x: 12.345, y: 6 }), scale: 1.5, fitted: false };
  const editor = { photograph: null, showBoxes: true, viewport, ...fields };
  return /** @type {Editor} */ (/** @type {unknown} */ (editor));
};

test("what was written is read", () => {
  const photograph = { row: { id: "0123456789abcdef" } };
  writeLocationHash(true, editorOf({ photograph, showBoxes: false }));
  assert.deepEqual(readLocationHash(), {
    asTable: true,
    id: "0123456789abcdef",
    place: { x: 12.3, y: 6, scale: 1.5 },
    showBoxes: false,
  });
});

test("an address without a hash, or with nonsense, is the beginning", () => {
  const beginning = { asTable: false, id: null, place: undefined, showBoxes: true };
  assert.deepEqual(readLocationHash(), beginning);
  address.hash = "#at=1,x,0&view=";
  assert.deepEqual(readLocationHash(), beginning);
});

test("the back button gets a step only where one was made", () => {
  writeLocationHash(false, editorOf({}), true);
  assert.deepEqual(pushed, []);
  writeLocationHash(true, editorOf({}), true);
  writeLocationHash(true, editorOf({}), true);
  assert.deepEqual(pushed, ["#view=table"]);
});
