/* global document */
import assert from "node:assert/strict";
import test from "node:test";
import "./browser.mjs";

Object.assign(document.documentElement, { dataset: { zone: "Asia/Kathmandu" }, lang: "es" });
const { calendar, hour, inZone, zone } = await import("../../static/moments.js");

test("a time of day is said in the zone of the page, 24 h", () => {
  assert.equal(zone, "Asia/Kathmandu");
  assert.equal(hour("2026-01-09T18:30:07Z"), "00:15");
  assert.equal(hour("2026-01-09T08:00:00+00:00"), "13:45");
});

test("a figure over time is drawn in that zone, which its axis names", () => {
  const figure = {
    data: [{ x: ["2026-01-09T18:30:07+00:00", "2026-01-09T20:00:00.250000+00:00"], y: [1, 2] }, { values: [1] }],
    layout: {
      xaxis: { type: "date", range: ["2026-01-09T00:00:00+00:00", "2026-01-10T00:00:00+00:00"] },
      shapes: [{ type: "line", x0: "2026-01-09T19:00:00+00:00", x1: "2026-01-09T19:00:00+00:00", yref: "paper" }],
      annotations: [{ x: "2026-01-09T19:00:00+00:00", text: "v3" }],
      meta: { rows: "from" },
    },
  };
  const { data, layout } = inZone(figure);
  assert.deepEqual(data[0].x, ["2026-01-10 00:15:07.000", "2026-01-10 01:45:00.250"]);
  assert.deepEqual(data[1], { values: [1] });
  assert.deepEqual(layout.xaxis.range, ["2026-01-09 05:45:00.000", "2026-01-10 05:45:00.000"]);
  assert.equal(layout.annotations[1].text, "Asia/Kathmandu");
  assert.equal(layout.shapes[0].x0, "2026-01-10 00:45:00.000");
  assert.equal(layout.annotations[0].x, "2026-01-10 00:45:00.000");
  assert.equal(layout.meta.rows, "from, Asia/Kathmandu");
});

test("a figure without an axis of time, and times without a zone, stay as they are", () => {
  const steps = { data: [{ x: [1, 2], y: [1, 2] }], layout: { xaxis: { title: { text: "step" } } } };
  assert.equal(inZone(steps), steps);
  const days = { data: [{ x: ["2026-01-09T00:00:00"] }], layout: { xaxis: { type: "date" } } };
  assert.deepEqual(inZone(days).data[0].x, ["2026-01-09T00:00:00"]);
});

test("months and days have their names in the reader's language", () => {
  const { format, name } = calendar();
  assert.equal(name, "es");
  assert.deepEqual([format.months[0], format.days[0], format.shortMonths.length], ["enero", "domingo", 12]);
});
