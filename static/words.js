// @ts-check
// The words of the page: Django's catalog (`gettext`, `ngettext`) loads first; holes and numbers are filled in here.

export const language = document.documentElement.lang || "en";

/** say(gettext("%(label)s is on."), { label }): the sentence with its holes filled. @param {string} sentence @param {object} values */
export const say = (sentence, values) => interpolate(sentence, values, true);

/** What stands before tenths and between thousands: "," and a blank in Spanish, as the pages have it. */
const [point, group] = (() => {
  const parts = new Intl.NumberFormat(language, { useGrouping: /** @type {any} */ ("always") }).formatToParts(12345.6);
  const of = (/** @type {string} */ type) => parts.find(part => part.type === type)?.value;
  const apart = of("group") ?? ",";
  return [of("decimal") ?? ".", apart === "." ? "\u00a0" : apart];
})();
/** In the words of Plotly. */
export const separators = point + group;

/** @param {number} n @param {number} least @param {number} most */
const written = (n, least, most) =>
  n
    .toLocaleString("en", { minimumFractionDigits: least, maximumFractionDigits: most })
    .replace(/[.,]/g, each => (each === "." ? point : group));

/** 6,500, or with a blank between. @param {number} n */
export const number = (n, most = 3) => written(n, 0, most);

/** many(ngettext("1 answer", "%(n)s answers", n), n). @param {string} sentence @param {number} n */
export const many = (sentence, n) => say(sentence, { n: number(n) });

/** @param {number} seconds */
export const tenths = seconds => written(seconds, 1, 1);
