import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byFolder,
  fileNameOf,
  folderOf,
  totals,
} from "../../../src/smearcount/web/static/photograph_list.js";
import { putRow, rowsInOrder, session } from "../../../src/smearcount/web/static/session_state.js";

/** @import { PhotographRow } from "../../../src/smearcount/web/static/api.js" */

/** @type {(id: string, name: string, counted?: number[]) => PhotographRow} */
const rowOf = (id, name, counted) => ({
  id,
  name,
  state: counted ? "done" : "waiting",
  reason: "",
  automatic: counted ? { counted, excluded: [0, 1] } : null,
  corrected: counted ? { counted: counted.map((n) => n + 1), excluded: [0, 2] } : null,
  corrections: 0,
  intervals: null,
  flags: [],
  seconds: 0,
});

test("names are folder and file", () => {
  assert.deepEqual([folderOf("a/b/c.jpg"), fileNameOf("a/b/c.jpg")], ["a/b", "c.jpg"]);
  assert.deepEqual([folderOf("c.jpg"), fileNameOf("c.jpg")], ["", "c.jpg"]);
});

test("rows come in the server's order, and those that it has not ordered yet come last", () => {
  session.order = ["b", "gone", "a"];
  for (const id of ["new", "a", "b"]) putRow(rowOf(id, `${id}.jpg`));
  assert.deepEqual(
    rowsInOrder().map((row) => row.id),
    ["b", "a", "new"],
  );
});

test("totals are of the photographs that are counted", () => {
  session.classes = ["WBC", "RBC"].map((name) => ({ name, color: "#000000", threshold: 0.5 }));
  const rows = [
    rowOf("a", "s/a.jpg", [1, 20]),
    rowOf("b", "b.jpg"),
    rowOf("c", "s/c.jpg", [2, 30]),
  ];
  const { automatic, corrected, excluded, done } = totals(rows);
  assert.deepEqual([automatic, corrected, excluded, done], [[3, 50], [5, 52], [0, 4], 2]);
  assert.deepEqual([...byFolder(rows).keys()], ["s", ""]);
});
