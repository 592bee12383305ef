// Counts in a heatmap: legible on any fill, each in its own cell.

import assert from "node:assert/strict";
import { test } from "node:test";

import { counts, legible } from "../../static/cells.js";

const light = v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * light(r / 255) + 0.7152 * light(g / 255) + 0.0722 * light(b / 255);

test("black or white stands out by 4.5 to 1 from every fill", () => {
  for (let r = 0; r < 256; r += 15)
    for (let g = 0; g < 256; g += 15)
      for (let b = 0; b < 256; b += 15) {
        const fill = luminance([r, g, b]);
        const ratio = legible([r, g, b]) === "#000000" ? (fill + 0.05) / 0.05 : 1.05 / (fill + 0.05);
        assert.ok(ratio >= 4.5, `${[r, g, b]}: ${ratio}`);
      }
});

test("a count stands at its cell by place, since names may be digits out of order", () => {
  const trace = {
    x: ["7", "1"],
    y: ["7", "1"],
    z: [
      [1, 0],
      [0.2, 0.8],
    ],
    text: [
      [9, 0],
      [2, 8],
    ],
    colorscale: [
      [0, "#ffffff"],
      [1, "#000000"],
    ],
  };
  const found = counts(trace).map(({ x, y, text, font }) => [x, y, text, font.color]);
  assert.deepEqual(found, [
    [0, 0, "9", "#ffffff"],
    [1, 0, "0", "#000000"],
    [0, 1, "2", "#000000"],
    [1, 1, "8", "#ffffff"],
  ]);
});
