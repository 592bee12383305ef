// @ts-check
// Cells of a heat map that have addresses of their own: a click opens one, and so do the arrow keys and Enter.

/** @typedef {{ x: string, y: string, z: number, address: string, row: number, column: number }} Cell */

/** Where a cell leads: the figure has the address of all its pages once, and each cell which of them it is on.
 * @param {any} trace @param {number} row @param {any} reading @returns {string | null} */
export const addressOf = (trace, row, reading) =>
  reading && trace?.meta?.page ? trace.meta.page.replace("{reading}", reading) + trace.meta.of[row] : null;

/** @param {any} trace @returns {Cell[][]} by row; empty places are left out */
function rowsOf(trace) {
  return trace.customdata.map((/** @type {(number | null)[]} */ line, /** @type {number} */ row) =>
    line.flatMap((reading, column) => {
      const address = addressOf(trace, row, reading);
      return address ? [{ x: trace.x[column], y: trace.y[row], z: trace.z[row][column], address, row, column }] : [];
    }),
  );
}

/** The cell of another row that lies nearest. @param {Cell[]} row @param {number} column */
const nearest = (row, column) =>
  row.reduce((best, cell) => (Math.abs(cell.column - column) < Math.abs(best.column - column) ? cell : best), row[0]);

/**
 * @param {any} canvas where Plotly drew
 * @param {() => any} trace the heat map as it is drawn now
 * @param {any} Plotly
 * @param {string} stroke of the frame around the chosen cell
 */
export function cellsByKey(canvas, trace, Plotly, stroke) {
  /** @type {Cell | null} */
  let chosen = null;
  /** @param {Cell} cell */
  function choose(cell) {
    chosen = cell;
    const { x } = trace(),
      half = 0.5;
    const frame = { type: "rect", x0: x[cell.column], x1: x[cell.column + 1] ?? x[cell.column] };
    const line = { width: 2, color: stroke };
    Plotly.relayout(canvas, { shapes: [{ ...frame, y0: cell.row - half, y1: cell.row + half, line }] });
    canvas.setAttribute("aria-label", `${cell.y}, ${cell.x.replace("T", " ").slice(0, 16)}: ${cell.z}`);
  }
  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && chosen) location.assign(chosen.address);
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const rows = rowsOf(trace()).filter(row => row.length);
    if (!rows.length) return;
    const before = chosen;
    const at = before ? rows.findIndex(row => row[0].row === before.row) : -1;
    if (!before || at < 0) return choose(rows[0][rows[0].length - 1]);
    const [down, right] = way;
    const row = rows[Math.min(Math.max(at + down, 0), rows.length - 1)];
    const place = row.indexOf(nearest(row, before.column)) + right;
    choose(row[Math.min(Math.max(place, 0), row.length - 1)]);
  });
}
