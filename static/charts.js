// @ts-check
// Charts: fetches figures as JSON, draws them in the sheet's colors, again on live news and on a change of theme.
// A figure comes as data and axes; the look they share is here. Plotly itself is fetched by the first chart only.

import { tabled } from "./as_table.js";
import { counts } from "./cells.js";
import { $, $$ } from "./dom.js";
import { addressOf, cellsByKey } from "./heat_cells.js";
import { atEnds, readable } from "./line_ends.js";
import { calendar, inZone } from "./moments.js";
import { language, separators } from "./words.js";

/** @typedef {{ data: any[], layout?: any }} Figure */
/**
 * @typedef {object} Chart
 * @property {HTMLElement} box
 * @property {HTMLElement} canvas
 * @property {Figure | null} figure
 * @property {HTMLElement | null} table the same numbers, once asked for
 * @property {boolean} drawn
 */

const AGAIN_MS = 800; // news in a row become one request
const SHARED_MS = 50; // figures of one address that are asked for together are fetched once
const { body } = document;
/** @type {Set<Chart>} */
const charts = new Set();
/** @type {WeakSet<HTMLElement>} */
const started = new WeakSet();

/** @type {Promise<any> | null} */
let plotly = null;
/** @returns {Promise<any>} */
function load() {
  plotly ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = $("script[data-plotly]").dataset.plotly;
    script.onload = () => {
      if (language !== "en") window.Plotly.register(calendar()); // its own English is whole, and every other rests on it
      done(window.Plotly);
    };
    script.onerror = () => {
      plotly = null;
      fail(new Error("Plotly did not load"));
    };
    document.head.append(script);
  });
  return plotly;
}

// --- one request for all figures of an address
/** @type {Map<string, Promise<Record<string, Figure>>>} */
const pending = new Map();
/** @param {string} url */
function fetched(url) {
  const known = pending.get(url);
  if (known) return known;
  const answer = fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" }).then(reply =>
    reply.ok ? reply.json() : Promise.reject(new Error(`answer ${reply.status}`)),
  );
  pending.set(url, answer);
  answer.catch(() => {}).finally(() => setTimeout(() => pending.delete(url), SHARED_MS));
  return answer;
}

// --- colors: "var(--accent)" becomes what the sheet says now, as #rrggbb, since Plotly reads no oklch
const dot = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
const pixel = /** @type {CanvasRenderingContext2D} */ (dot.getContext("2d", { willReadFrequently: true }));
const probe = document.createElement("i");
probe.hidden = true;
body.append(probe);
/** @type {Map<string, string>} */
let palette = new Map();

/** @param {string} words @returns {string} */
function color(words) {
  const known = palette.get(words);
  if (known) return known;
  probe.style.color = words;
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(probe).color;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
  const hex = `#${[r, g, b].map(n => n.toString(16).padStart(2, "0")).join("")}`;
  palette.set(words, hex);
  return hex;
}
/** @param {any} value @returns {any} */
function inked(value) {
  if (typeof value === "string") return value.startsWith("var(--") ? color(value) : value;
  if (Array.isArray(value)) return value.map(inked);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, inked(v)]));
}

// --- the look all figures share
function look() {
  const font = { family: getComputedStyle(body).fontFamily, size: 12, color: color("var(--ink-2)") };
  const line = color("var(--line)"),
    strong = color("var(--line-strong)"),
    quiet = color("var(--ink-3)"),
    nothing = "rgba(0,0,0,0)";
  const axis = {
    gridcolor: line,
    linecolor: strong,
    zeroline: false,
    automargin: true,
    fixedrange: true,
    title: { font: { size: 12, color: quiet }, standoff: 8 },
    tickfont: { color: quiet },
  };
  return {
    layout: {
      font,
      margin: { l: 8, r: 8, t: 8, b: 8 },
      paper_bgcolor: nothing,
      plot_bgcolor: nothing,
      showlegend: false,
      hovermode: "x unified",
      dragmode: false,
      separators,
      uirevision: "kept",
      hoverlabel: {
        bgcolor: color("var(--raised)"),
        bordercolor: strong,
        font: { ...font, color: color("var(--ink)") },
      },
      legend: { orientation: "h", x: 0, y: -0.32, yanchor: "top", font },
    },
    xaxis: { ...axis, showgrid: false, showline: true },
    yaxis: { ...axis, nticks: 5 },
  };
}
/** @param {string} text @param {number} size in pixels */
function textWidth(text, size) {
  pixel.font = `${size}px ${getComputedStyle(body).fontFamily}`;
  return pixel.measureText(text.replace(/<[^>]*>/g, "")).width;
}
const isGroup = (/** @type {any} */ x) => x && typeof x === "object" && !Array.isArray(x);
/** What is above covers what is below, group by group. @param {any} below @param {any} above @returns {any} */
function over(below, above) {
  const both = { ...below, ...above };
  for (const key of Object.keys(both)) {
    const [a, b] = [below?.[key], above?.[key]];
    if (isGroup(a) && isGroup(b)) both[key] = over(a, b);
  }
  return both;
}
/** @param {Figure} figure @param {number} width of the place it is drawn in, in pixels */
function dressed(figure, width) {
  const own = inked(figure),
    { layout: base, xaxis, yaxis } = look();
  const layout = over(base, own.layout || {});
  const more = Object.keys(own.layout || {}).filter(k => /^[xy]axis\d+$/.test(k));
  for (const name of ["xaxis", "yaxis", ...more]) {
    layout[name] = over(name.startsWith("x") ? xaxis : yaxis, own.layout?.[name] || {});
  }
  const cells = own.data.filter((/** @type {any} */ t) => t.type === "heatmap" && t.meta?.written);
  const page = color(getComputedStyle(body).backgroundColor),
    ink = color("var(--ink)");
  layout.annotations = [
    ...(layout.annotations || []).map((/** @type {any} */ note) => readable(note, page, ink)),
    ...cells.flatMap(counts),
  ];
  layout.margin = { ...layout.margin, r: atEnds(layout, width, textWidth) };
  return { data: own.data, layout };
}

// --- drawing
/** @param {Figure} figure */
const has = figure => figure.data.some(t => (t.z || t.y || t.x || []).length);

/** @param {Chart} chart @param {Figure} figure */
async function draw(chart, figure) {
  const { box, canvas } = chart,
    meta = figure.layout?.meta || {};
  chart.figure = figure;
  canvas.setAttribute("aria-label", meta.finding || "");
  box.classList.toggle("nothing", !has(figure));
  canvas.style.height = (has(figure) && meta.height) || "";
  if (has(figure)) await plot(chart, figure);
  else {
    if (chart.drawn) (await load()).purge(canvas);
    chart.drawn = false;
    canvas.textContent = meta.empty || gettext("There is nothing to draw yet.");
  }
  canvas.removeAttribute("aria-busy");
  if (!chart.table) return;
  const table = tabled(figure);
  chart.table.replaceWith(table);
  chart.table = table;
}
/** @param {Chart} chart @param {Figure} figure */
async function plot(chart, figure) {
  const Plotly = await load(),
    { data, layout } = dressed(figure, chart.canvas.clientWidth);
  const first = !chart.drawn;
  if (first) chart.canvas.textContent = "";
  chart.drawn = true;
  await Plotly.react(chart.canvas, data, layout, { displayModeBar: false, responsive: true, locale: language });
  if (first) opening(chart);
}
/** What has an address of its own opens it. @param {Chart} chart */
function opening(chart) {
  const canvas = /** @type {any} */ (chart.canvas);
  canvas.on?.("plotly_click", (/** @type {any} */ event) => {
    const point = event.points[0],
      address = point && addressOf(heat(), heat()?.y.indexOf(point.y), point.customdata);
    if (address) location.assign(address);
  });
  const heat = () => chart.figure?.data.find(t => t.type === "heatmap" && t.meta?.page);
  if (heat()) cellsByKey(canvas, heat, window.Plotly, color("var(--ink)"));
}
/** @param {Chart} chart */
async function refresh(chart) {
  const { figureUrl = "", figure: name = "" } = chart.box.dataset;
  if (!chart.box.isConnected) {
    charts.delete(chart);
    return;
  }
  try {
    const figure = (await fetched(figureUrl))[name];
    if (figure) await draw(chart, inZone(figure));
  } catch {
    if (chart.figure) return;
    chart.canvas.removeAttribute("aria-busy");
    chart.canvas.textContent = gettext("The chart could not be fetched. It is tried again when the console answers.");
  }
}

// --- the same numbers as a table
/** @param {Chart} chart @param {HTMLElement} link */
function toggle(chart, link) {
  if (!chart.figure) return;
  if (chart.table) {
    chart.table.remove();
    chart.table = null;
  } else {
    chart.table = tabled(chart.figure);
    chart.canvas.after(chart.table);
  }
  const asTable = chart.table !== null;
  chart.canvas.hidden = asTable;
  link.textContent = asTable ? gettext("Show as chart") : gettext("Show as table");
  if (!asTable && chart.drawn) window.Plotly.Plots.resize(chart.canvas);
}

// --- the same as a picture: with its title, on the page's own ground
/** @param {Chart} chart */
async function picture(chart) {
  if (!chart.figure || !has(chart.figure)) return;
  const width = chart.box.clientWidth || 900,
    height = Math.max(chart.canvas.clientHeight, 320);
  const { data, layout } = dressed(chart.figure, width);
  const title = $("figcaption b", chart.box).textContent ?? "";
  const ground = { paper_bgcolor: color(getComputedStyle(body).backgroundColor) };
  const room = { margin: { ...layout.margin, t: 48 }, title: { text: title, x: 0.02, font: layout.font } };
  const options = { format: "png", scale: 2, width, height, filename: chart.box.dataset.figure };
  await (await load()).downloadImage({ data, layout: { ...layout, ...ground, ...room } }, options);
}

// --- finding charts, now and in fragments that come later
/** @param {HTMLElement} box */
function begin(box) {
  if (started.has(box)) return;
  started.add(box);
  /** @type {Chart} */
  const chart = { box, canvas: $(".canvas", box), figure: null, table: null, drawn: false };
  const link = $("[data-as-table]", box);
  charts.add(chart);
  link?.setAttribute("role", "button");
  link?.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (!chart.figure) return;
    event.preventDefault();
    toggle(chart, link);
  });
  $("[data-as-png]", box)?.addEventListener("click", () => picture(chart));
  /** @type {ReturnType<typeof setTimeout> | null} */
  let waits = null;
  const again = () => {
    waits ??= setTimeout(() => {
      waits = null;
      refresh(chart);
    }, AGAIN_MS);
  };
  const topics = (box.dataset.refreshOn || "").split(/\s+/).filter(Boolean);
  for (const what of [...topics, "reconnected"]) body.addEventListener(`live:${what}`, again);
  refresh(chart);
}
/** @param {ParentNode} root */
const start = root => $$("[data-figure-url]", root).forEach(begin);

function redraw() {
  palette = new Map();
  for (const chart of charts) if (chart.figure && chart.box.isConnected) draw(chart, chart.figure);
}
body.addEventListener("theme:changed", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
body.addEventListener("htmx:load", event => start(event.detail.elt));
start(document);

// --- a log stays at its end while somebody reads there
/** @param {ParentNode} root */
function follow(root) {
  for (const log of $$("[data-follow]", root)) log.scrollTop = log.scrollHeight;
}
body.addEventListener("htmx:load", event => follow(event.detail.elt));
follow(document);
