// @ts-check
// The words of the page: Django's catalog (`gettext`, `ngettext`) loads first; holes and numbers are filled in here.

export const language = document.documentElement.lang || "en";

/** say(gettext("%(label)s is on."), { label }): the sentence with its holes filled. @param {string} sentence @param {object} values */
export const say = (sentence, values) => interpolate(sentence, values, true);

/** @param {number} n */
export const number = n => n.toLocaleString(language);

/** many(ngettext("1 answer", "%(n)s answers", n), n). @param {string} sentence @param {number} n */
export const many = (sentence, n) => say(sentence, { n: number(n) });

/** @param {string | number | Date} at */
export const hour = at => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** @param {number} seconds */
export const tenths = seconds =>
  seconds.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
