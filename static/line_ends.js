// @ts-check
// Words at the ends of lines: in a color that can be read on the page, with as much room as they need.

const LEAST = 4.5; // to 1: AA for text of this size
const GAP = 14; // pixels before and after the words
const MOST = 0.5; // of a chart's width for words beside it

/** @param {string} hex @returns {number[]} */
const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
/** @param {number[]} color */
function luminance(color) {
  const [r, g, b] = color.map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
/** How much two colors stand out from one another, 1 to 21. @param {string} one @param {string} other */
export function contrast(one, other) {
  const [low, high] = [luminance(rgb(one)), luminance(rgb(other))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
/** The color itself where it can be read on the page, else as little nearer to the ink as makes it so.
 * @param {string} color @param {string} page @param {string} ink */
export function inkier(color, page, ink) {
  const [from, to] = [rgb(color), rgb(ink)];
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = from.map((v, i) => Math.round(v + share * (to[i] - v)));
    const hex = `#${mixed.map(v => v.toString(16).padStart(2, "0")).join("")}`;
    if (contrast(hex, page) >= LEAST) return hex;
  }
  return ink;
}
/** @param {any} note @param {string} page @param {string} ink */
export function readable(note, page, ink) {
  const color = note.font?.color;
  if (!/^#[0-9a-f]{6}$/.test(color || "")) return note;
  return { ...note, font: { ...note.font, color: inkier(color, page, ink) } };
}

/** @param {any} x */
const place = x => (typeof x === "number" ? x : Date.parse(String(x).replace(" ", "T")));

/** Pixels to leave free at the right, so that no word beside a line is cut.
 * @param {any} layout @param {number} width of the whole @param {(text: string, size: number) => number} measured */
export function atEnds(layout, width, measured) {
  const margin = layout.margin?.r ?? 8,
    left = 48; // about what the axis at the left takes
  let needed = margin;
  for (const note of layout.annotations || []) {
    if (note.xanchor !== "left" || (note.xref || "x") !== "x" || !note.text) continue;
    const range = layout.xaxis?.range?.map(place);
    if (!range || range.some(Number.isNaN)) continue; // without a range Plotly makes room by itself
    const free = (range[1] - place(note.x)) / (range[1] - range[0]); // of the axis, behind the line's end
    if (!(free >= 0 && free < 1)) continue;
    const words = measured(note.text, note.font?.size || layout.font?.size || 12) + GAP + (note.xshift || 0);
    needed = Math.max(needed, (words - free * (width - left)) / (1 - free));
  }
  return Math.round(Math.min(needed, MOST * width));
}
