// Charts: fetches figures as JSON, draws them in the sheet's colors, again on live news and on a change of theme.
// A figure comes as data and axes; the look they share is here. Plotly itself is fetched by the first chart only.
(() => {
  "use strict";
  const source = document.currentScript.dataset.plotly;
  const body = document.body;
  const charts = new Set();
  let plotly = null;

  const load = () => plotly ||= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => done(window.Plotly);
    script.onerror = () => { plotly = null; fail(new Error("Plotly did not load")); };
    document.head.append(script);
  });

  // --- one request for all figures of an address
  const pending = new Map();
  function fetched(url) {
    if (!pending.has(url)) {
      const answer = fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" })
        .then(r => r.ok ? r.json() : Promise.reject(new Error(`answer ${r.status}`)));
      pending.set(url, answer);
      answer.catch(() => {}).finally(() => setTimeout(() => pending.delete(url), 50));
    }
    return pending.get(url);
  }

  // --- colors: "var(--accent)" becomes what the sheet says now, as #rrggbb, since Plotly reads no oklch
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const probe = document.createElement("i");
  probe.hidden = true;
  body.append(probe);
  let palette = new Map();

  function color(words) {
    if (!palette.has(words)) {
      probe.style.color = words;
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = getComputedStyle(probe).color;
      pixel.fillRect(0, 0, 1, 1);
      const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
      palette.set(words, `#${[r, g, b].map(n => n.toString(16).padStart(2, "0")).join("")}`);
    }
    return palette.get(words);
  }
  function inked(value) {
    if (typeof value === "string") return value.startsWith("var(--") ? color(value) : value;
    if (Array.isArray(value)) return value.map(inked);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, inked(v)]));
    return value;
  }

  // --- the look all figures share
  function base() {
    const font = { family: getComputedStyle(body).fontFamily, size: 12, color: color("var(--ink-2)") };
    const line = color("var(--line)");
    const axis = {
      gridcolor: line, linecolor: color("var(--line-strong)"), zeroline: false, automargin: true, fixedrange: true,
      title: { font: { size: 12, color: color("var(--ink-3)") }, standoff: 8 }, tickfont: { color: color("var(--ink-3)") },
    };
    return {
      layout: {
        font, margin: { l: 8, r: 8, t: 8, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        showlegend: false, hovermode: "x unified", dragmode: false, separators: ".,", uirevision: "kept",
        hoverlabel: { bgcolor: color("var(--raised)"), bordercolor: color("var(--line-strong)"), font: { ...font, color: color("var(--ink)") } },
        legend: { orientation: "h", x: 0, y: -0.32, yanchor: "top", font },
      },
      xaxis: { ...axis, showgrid: false, showline: true }, yaxis: { ...axis, nticks: 5 },
    };
  }
  const over = (below, above) => {
    const both = { ...below, ...above };
    for (const key of Object.keys(both)) {
      const [a, b] = [below?.[key], above?.[key]];
      if (a && b && typeof a === "object" && typeof b === "object" && !Array.isArray(b)) both[key] = over(a, b);
    }
    return both;
  };
  function dressed(figure) {
    const own = inked(figure), look = base();
    const layout = over(look.layout, own.layout || {});
    for (const name of ["xaxis", "yaxis", ...Object.keys(own.layout || {}).filter(k => /^[xy]axis\d+$/.test(k))]) {
      layout[name] = over(look[name.slice(0, 5)], own.layout?.[name] || {});
    }
    return { data: own.data, layout };
  }

  // --- drawing
  const has = figure => figure.data.some(t => (t.z || t.y || t.x || []).length);

  async function draw(chart, figure) {
    const { box, canvas } = chart;
    chart.figure = figure;
    const meta = figure.layout?.meta || {};
    canvas.setAttribute("aria-label", meta.finding || "");
    box.classList.toggle("nothing", !has(figure));
    if (!has(figure)) {
      if (chart.drawn) { (await load()).purge(canvas); chart.drawn = false; }
      canvas.textContent = meta.empty || "There is nothing to draw yet.";
    } else {
      const Plotly = await load();
      const { data, layout } = dressed(figure);
      if (!chart.drawn) canvas.textContent = "";
      chart.drawn = true;
      await Plotly.react(canvas, data, layout, { displayModeBar: false, responsive: true });
    }
    canvas.removeAttribute("aria-busy");
    if (chart.table) chart.table.replaceWith(chart.table = tabled(figure));
  }
  async function refresh(chart) {
    if (!chart.box.isConnected) { charts.delete(chart); return; }
    try {
      const all = await fetched(chart.box.dataset.figureUrl);
      const figure = all[chart.box.dataset.figure];
      if (figure) await draw(chart, figure);
    } catch {
      if (!chart.figure) chart.canvas.textContent = "The chart could not be fetched. It is tried again when the console answers.";
    }
  }

  // --- the same numbers as a table
  const shown = (trace, i) => {
    const words = Array.isArray(trace.text) ? trace.text[i] : undefined;
    const value = trace.y[i];
    return words ?? (typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 4 }) : value ?? "");
  };
  function tabled(figure) {
    const meta = figure.layout?.meta || {};
    const [first] = figure.data;
    let head, rows;
    if (first?.z) {
      head = [meta.rows || "", ...first.x];
      rows = first.y.map((name, i) => [name, ...first.text[i]]);
    } else {
      const lines = figure.data.filter(t => !t.meta?.band);
      const keys = [...new Set(lines.flatMap(t => t.x))].sort((a, b) => typeof a === "number" ? a - b : 0);
      head = [meta.rows || "", ...lines.map(t => t.name || "")];
      rows = keys.map(key => [key, ...lines.map(t => { const i = t.x.indexOf(key); return i < 0 ? "" : shown(t, i); })]);
    }
    const table = document.createElement("table");
    table.className = "table";
    const cell = (tag, words, scope) => { const c = document.createElement(tag); if (scope) c.scope = scope; c.textContent = words; return c; };
    const top = table.createTHead().insertRow();
    head.forEach((words, i) => top.append(Object.assign(cell("th", words, "col"), { className: i ? "num" : "" })));
    const inside = table.createTBody();
    rows.forEach(row => {
      const line = inside.insertRow();
      row.forEach((words, i) => line.append(i ? Object.assign(cell("td", words), { className: "num" }) : cell("th", String(words).replace("T", " ").replace(/(:\d\d)(\.\d+)?(\+00:00|Z)$/, "$1"), "row")));
    });
    const frame = document.createElement("div");
    frame.className = "scroll-x as-table";
    frame.append(table);
    return frame;
  }
  function toggle(chart, link) {
    const open = !chart.table;
    if (open) { chart.table = tabled(chart.figure); chart.canvas.after(chart.table); } else { chart.table.remove(); chart.table = null; }
    chart.canvas.hidden = open;
    link.textContent = open ? "Show as chart" : "Show as table";
    if (!open && chart.drawn) window.Plotly.Plots.resize(chart.canvas);
  }

  // --- finding charts, now and in fragments that come later
  function start(root) {
    root.querySelectorAll("[data-figure-url]").forEach(box => {
      if (box.started) return;
      box.started = true;
      const chart = { box, canvas: box.querySelector(".canvas"), figure: null, table: null, drawn: false };
      charts.add(chart);
      const link = box.querySelector("[data-as-table]");
      link?.setAttribute("role", "button");
      link?.addEventListener("click", event => { if (chart.figure) { event.preventDefault(); toggle(chart, link); } });
      let waits = null;
      const again = () => { waits ||= setTimeout(() => { waits = null; refresh(chart); }, 800); };
      [...(box.dataset.refreshOn || "").split(/\s+/).filter(Boolean), "reconnected"].forEach(what => body.addEventListener(`live:${what}`, again));
      refresh(chart);
    });
  }
  const redraw = () => { palette = new Map(); charts.forEach(chart => { if (chart.figure && chart.box.isConnected) draw(chart, chart.figure); }); };
  body.addEventListener("theme:changed", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  body.addEventListener("htmx:load", event => start(event.detail.elt));
  start(document);

  // --- a log stays at its end while somebody reads there
  const follow = root => root.querySelectorAll("[data-follow]").forEach(log => { log.scrollTop = log.scrollHeight; });
  body.addEventListener("htmx:load", event => follow(event.detail.elt));
  follow(document);
})();
