// @ts-check
// The counts in the cells of a heatmap, each in a color that its cell lets read.

/** @param {string} hex @returns {number[]} */
const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
/** Black or white, whichever stands out more from the fill: at least 4.5 to 1 on any. @param {number[]} fill */
export function legible(fill) {
  const [r, g, b] = fill.map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
/** What each cell of a heatmap counts. @param {any} trace @returns {any[]} */
export function counts(trace) {
  const [low, high] = [rgb(trace.colorscale[0][1]), rgb(trace.colorscale[1][1])];
  return trace.z.flatMap((/** @type {number[]} */ row, /** @type {number} */ i) =>
    row.map((share, j) => ({
      x: j, // the place and not the name: a label may be called 7
      y: i,
      text: String(trace.text[i][j]),
      showarrow: false,
      font: { color: legible(low.map((v, k) => v + share * (high[k] - v))) },
    })),
  );
}
