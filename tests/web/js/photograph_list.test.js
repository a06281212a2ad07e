import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byFolder,
  fileNameOf,
  folderOf,
  summaryOf,
  summarySentence,
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
  flags: id === "c" ? ["too dark"] : [],
  left_out: id === "out",
  pixel_size_um: null,
  log_length: 0,
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

test("what the totals are not of is counted by reason", () => {
  const rows = [rowOf("a", "a", [1, 2]), rowOf("c", "c", [1, 2]), rowOf("out", "o", [900, 0])];
  rows.push(rowOf("b", "b"), { ...rowOf("d", "d"), state: "failed" });
  const expected = { counted: 2, flagged: 1, failed: 1, open: 1, leftOut: 1 };
  assert.deepEqual(summaryOf(rows), expected);
  const sentence = "2 counted, 1 of them with a warning, 1 failed, 1 not counted yet, 1 left out";
  assert.equal(summarySentence(rows), sentence);
});

test("totals are of the photographs that are counted", () => {
  session.classes = ["WBC", "RBC"].map((name) => ({ name, color: "#000000", threshold: 0.5 }));
  const rows = [
    rowOf("a", "s/a.jpg", [1, 20]),
    rowOf("b", "b.jpg"),
    rowOf("c", "s/c.jpg", [2, 30]),
    rowOf("out", "s/out.jpg", [900, 1]),
  ];
  const { automatic, corrected, excluded, done } = totals(rows);
  assert.deepEqual([automatic, corrected, excluded, done], [[3, 50], [5, 52], [0, 4], 2]);
  assert.deepEqual([...byFolder(rows).keys()], ["s", ""]);
});
