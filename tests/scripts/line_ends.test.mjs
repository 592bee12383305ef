import assert from "node:assert/strict";
import test from "node:test";
import "./browser.mjs";

const { atEnds, contrast, inkier, readable } = await import("../../static/line_ends.js");
const DARK = "#111417",
  LIGHT = "#fdfdfe",
  INK_ON_DARK = "#eceef1",
  INK_ON_LIGHT = "#16181c";
const eight = text => 8 * text.length;
const end = (text, x, more = {}) => ({ xanchor: "left", x, text, xshift: 6, font: { color: "#444444" }, ...more });

test("contrast is that of the guidelines", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.ok(Math.abs(contrast("#767676", "#ffffff") - 4.54) < 0.01);
});

test("every color of a line can be read at its end, in the dark and in the light", () => {
  const colors = [..."0369cf"].flatMap(r =>
    [..."0369cf"].flatMap(g => [..."0369cf"].map(b => `#${r}${r}${g}${g}${b}${b}`)),
  );
  for (const color of colors) {
    assert.ok(contrast(inkier(color, DARK, INK_ON_DARK), DARK) >= 4.5, color);
    assert.ok(contrast(inkier(color, LIGHT, INK_ON_LIGHT), LIGHT) >= 4.5, color);
  }
});

test("a color that can be read stays as it is", () => {
  assert.equal(inkier("#1f4fb5", LIGHT, INK_ON_LIGHT), "#1f4fb5");
  assert.deepEqual(readable({ text: "x" }, LIGHT, INK_ON_LIGHT), { text: "x" });
  assert.equal(readable(end("run 3", 1), DARK, INK_ON_DARK).text, "run 3");
});

test("words beside a line get the room that the axis does not leave them", () => {
  const layout = { margin: { r: 8 }, xaxis: { range: [0, 100] }, annotations: [end("in validation 0.50", 100)] };
  assert.equal(atEnds(layout, 500, eight), 8 * 18 + 14 + 6);
  layout.xaxis.range = [0, 200]; // half of it is free
  assert.equal(atEnds(layout, 500, eight), 8);
  layout.xaxis.range = [0, 120];
  const right = atEnds(layout, 500, eight);
  assert.ok(right + (20 / 120) * (500 - 48 - right) >= 8 * 18 + 14, String(right));
});

test("words take half of a narrow chart at most, and those that no axis holds are left alone", () => {
  const layout = { margin: { r: 8 }, xaxis: { range: [0, 100] }, annotations: [end("x".repeat(90), 100)] };
  assert.equal(atEnds(layout, 300, eight), 150);
  layout.annotations = [end("target 3 h", 0, { xref: "paper" }), end("v4", 10)];
  assert.equal(atEnds(layout, 300, eight), 8);
  assert.equal(atEnds({ annotations: [end("run 3", 5)] }, 300, eight), 8);
});

test("moments are places too", () => {
  const range = ["2026-11-02 12:00:00.000", "2026-11-03 12:00:00.000"];
  const layout = { margin: { r: 8 }, xaxis: { range }, annotations: [end("8 ms", "2026-11-03 12:00:00.000")] };
  assert.equal(atEnds(layout, 500, eight), 8 * 4 + 14 + 6);
});
