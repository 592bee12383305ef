/* global document */
import assert from "node:assert/strict";
import test from "node:test";
import "./browser.mjs";

const { many, number, say, tenths } = await import("../../static/words.js");

test("holes are filled by name and percent signs stay", () => {
  assert.equal(say("%(n)s % sure of %(label)s", { n: 7, label: "50 %" }), "7 % sure of 50 %");
});

test("numbers are written as the reader writes them", () => {
  assert.equal(number(1234567), "1,234,567");
  assert.equal(tenths(3), "3.0");
  assert.equal(many("%(n)s answers", 12345), "12,345 answers");
});

test("in Spanish a comma stands before tenths and a blank between thousands", async () => {
  document.documentElement.lang = "es";
  const spanish = await import("../../static/words.js?es");
  assert.equal(spanish.number(6500), "6\u00a0500");
  assert.equal(spanish.number(0.1234, 4), "0,1234");
  assert.equal(spanish.tenths(3), "3,0");
  assert.equal(spanish.separators, ",\u00a0");
  document.documentElement.lang = "en";
});
