// @ts-check
// Moments as this page says them: in the reader's zone, which the page names, 24 h. The only place of scripts that does.

const { dataset, lang } = document.documentElement;
export const zone = dataset.zone || "UTC";

/** @param {Intl.DateTimeFormatOptions} parts */
const formatter = parts => new Intl.DateTimeFormat(lang || "en", { hourCycle: "h23", timeZone: zone, ...parts });
const ofDay = formatter({ hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat("sv", {
  ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  ...{ fractionalSecondDigits: 3, hourCycle: "h23", timeZone: zone },
});

/** 14:32. @param {string | number | Date} at */
export const hour = at => ofDay.format(new Date(at));

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/;

/** 2026-11-29 14:32:07.000 of an ISO moment, as a drawing that knows no zones wants it; anything else as it is. */
const there = (/** @type {any} */ at) =>
  typeof at === "string" && ISO.test(at) ? whole.format(new Date(at)).replace(",", ".") : at;
const allThere = (/** @type {any} */ row) => (Array.isArray(row) ? row.map(there) : row);

/** At the end of the axis, in the line of its dates. */
const NAME_OF_ZONE = {
  ...{ text: zone.replaceAll("_", " "), showarrow: false, font: { color: "var(--ink-3)" } },
  ...{ xref: "paper", yref: "paper", x: 1, y: 0, xanchor: "right", yanchor: "top", yshift: -21 },
};

/** A figure whose times are those of the reader's zone; one without an axis of time as it is. @param {any} figure */
export function inZone(figure) {
  const layout = figure.layout || {};
  const times = Object.keys(layout).filter(key => /^xaxis\d*$/.test(key) && layout[key]?.type === "date");
  if (!times.length) return figure;
  const axes = times.map(key => {
    const axis = layout[key];
    const range = axis.range ? { range: allThere(axis.range) } : {};
    return [key, { ...axis, ...range }];
  });
  const rows = layout.meta?.rows ? { rows: `${layout.meta.rows}, ${zone}` } : {};
  return {
    data: figure.data.map((/** @type {any} */ trace) => (trace.x ? { ...trace, x: allThere(trace.x) } : trace)),
    layout: {
      ...layout,
      ...Object.fromEntries(axes),
      shapes: (layout.shapes || []).map((/** @type {any} */ s) => ({ ...s, x0: there(s.x0), x1: there(s.x1) })),
      annotations: [
        ...(layout.annotations || []).map((/** @type {any} */ note) => ({ ...note, x: there(note.x) })),
        NAME_OF_ZONE,
      ],
      meta: { ...layout.meta, ...rows },
    },
  };
}

/** @param {Intl.DateTimeFormatOptions} parts @param {number} n @param {(i: number) => number} at */
const names = (parts, n, at) => {
  const named = new Intl.DateTimeFormat(lang || "en", { ...parts, timeZone: "UTC" });
  return Array.from({ length: n }, (_, i) => named.format(at(i)));
};
const month = (/** @type {number} */ i) => Date.UTC(2026, i, 1);
const weekday = (/** @type {number} */ i) => Date.UTC(2026, 1, 1 + i); // a Sunday

/** The names of months and days in the reader's language, in the words of Plotly. */
export const calendar = () => ({
  moduleType: "locale",
  name: lang || "en",
  dictionary: {},
  format: {
    months: names({ month: "long" }, 12, month),
    shortMonths: names({ month: "short" }, 12, month),
    days: names({ weekday: "long" }, 7, weekday),
    shortDays: names({ weekday: "short" }, 7, weekday),
  },
});
