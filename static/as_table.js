// @ts-check
// The numbers of a figure as a table: for whoever reads better than they see, and for copying.

import { el } from "./dom.js";
import { addressOf } from "./heat_cells.js";
import { number } from "./words.js";

/** @typedef {{ data: any[], layout?: any }} Figure */

/** @param {any} trace @param {number} i @returns {string} */
function shown(trace, i) {
  const value = trace.y[i];
  if (Array.isArray(trace.text) && trace.text[i] !== undefined) return trace.text[i];
  if (typeof value !== "number") return value ?? "";
  return number(value, 4);
}
/** A moment without what nobody reads of it; any other name as it is. @param {unknown} name */
const named = name => String(name).replace(/^(\d{4}-\d\d-\d\d \d\d:\d\d):\d\d\.\d+$/, "$1");

/** @param {Figure} figure @returns {{ head: string[], rows: any[][], links?: (row: number, i: number) => string | null }} */
function cells(figure) {
  const rowsAre = figure.layout?.meta?.rows || "",
    [first] = figure.data;
  if (first?.z) {
    const width = first.z[0]?.length ?? 0; // columns may be edges: one more than cells
    const line = (/** @type {number} */ i) =>
      first.text?.[i] ?? first.z[i].map((/** @type {any} */ z) => (typeof z === "number" ? number(z, 4) : ""));
    const rows = first.y.map((/** @type {string} */ name, /** @type {number} */ i) => [name, ...line(i)]);
    return {
      head: [rowsAre, ...first.x.slice(0, width)],
      rows,
      links: (row, i) => addressOf(first, row, first.customdata?.[row]?.[i]),
    };
  }
  const lines = figure.data.filter(t => !t.meta?.band);
  const keys = [...new Set(lines.flatMap(t => t.x))].sort((a, b) => (typeof a === "number" ? a - b : 0));
  const cell = (/** @type {any} */ trace, /** @type {any} */ key) => {
    const i = trace.x.indexOf(key);
    return i < 0 ? "" : shown(trace, i);
  };
  return {
    head: [rowsAre, ...lines.map(t => t.name || "")],
    rows: keys.map(key => [key, ...lines.map(t => cell(t, key))]),
  };
}
/** @param {Figure} figure */
export function tabled(figure) {
  const { head, rows, links } = cells(figure);
  const table = /** @type {HTMLTableElement} */ (el("table.table"));
  table
    .createTHead()
    .insertRow()
    .append(...head.map((words, i) => el(i ? "th.num" : "th", { scope: "col" }, words)));
  const inside = table.createTBody();
  for (const [row, [name, ...values]] of rows.entries()) {
    const line = inside.insertRow();
    const shownAs = (/** @type {any} */ value, /** @type {number} */ i) => {
      const href = links?.(row, i);
      return el("td.num", {}, href ? el("a", { href }, String(value)) : String(value));
    };
    line.append(el("th", { scope: "row" }, named(name)), ...values.map(shownAs));
  }
  return el("div.scroll-x.as-table", {}, table);
}
