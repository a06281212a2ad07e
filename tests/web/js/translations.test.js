import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { EN, JA, t } from "../../../src/smearcount/web/static/translations.js";

const STATIC = new URL("../../../src/smearcount/web/static/", import.meta.url);
const html = readFileSync(new URL("index.html", STATIC), "utf8");
const scripts = readdirSync(STATIC)
  .filter((name) => name.endsWith(".js") && name !== "translations.js")
  .map((name) => readFileSync(new URL(name, STATIC), "utf8"))
  .join("\n");

const keysOf = (/** @type {object} */ texts) => Object.keys(texts).sort();
const placeholders = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort();

test("both languages have every text, with the same placeholders", () => {
  assert.deepEqual(keysOf(EN), keysOf(JA));
  const { keys: englishKeys, ...english } = EN;
  const { keys: japaneseKeys, ...japanese } = JA;
  assert.equal(englishKeys.length, japaneseKeys.length);
  for (const [key, text] of Object.entries(english)) {
    const other = Object.entries(japanese).find(([name]) => name === key);
    assert.deepEqual(placeholders(text), placeholders(other?.[1] ?? ""), key);
  }
});

test("every text that the markup names is there", () => {
  const named = [...html.matchAll(/data-(?:text|label|placeholder)="(\w+)"/g)].map(
    ([, key]) => key,
  );
  assert.ok(named.length > 40);
  for (const key of named) assert.ok(key in EN, key);
});

test("no text is left over", () => {
  for (const key of Object.keys(EN)) {
    const isUsed =
      key === "keys" ||
      new RegExp(`["\\W]${key}["\\W]`).test(scripts + html) ||
      key.startsWith("source_") ||
      ["waiting", "counting", "canceled", "failed"].includes(key);
    assert.ok(isUsed, key);
  }
});

test("placeholders are filled in", () => {
  assert.equal(t("progressText", { done: "1", all: "2" }), "1 of 2 counted");
});
