// @ts-check
// The last answers, newest first: what can be undone or changed.

import { $, $$, el } from "../dom.js";
import { hour } from "../moments.js";
import { say } from "../words.js";

/**
 * @param {object} given
 * @param {Entry[]} given.entries
 * @param {number} given.depth
 * @param {(entry: Entry) => boolean} given.isWaiting while it has not left
 * @param {(entry: Entry) => void} given.onOpen when one is to be changed
 * @param {(code: string) => string} given.shown the letter on a key
 */
export function past({ entries, depth, isWaiting, onOpen, shown }) {
  const list = $("#undo-list");
  let kept = entries.slice(0, depth);

  function paint() {
    const focused = $$("button", list).indexOf(document.activeElement);
    $("#undo").disabled = !kept.length;
    list.replaceChildren(...kept.map(row));
    if (focused >= 0) $$("button", list)[Math.min(focused, kept.length - 1)]?.focus();
    $("#no-past").hidden = kept.length > 0;
  }
  /** @param {Entry} entry */
  function facts(entry) {
    return [
      entry.guidelines ? say(gettext("guidelines %(n)s"), { n: entry.guidelines }) : "",
      entry.flagged ? gettext("flagged") : "",
      entry.comment ? gettext("with a comment") : "",
      isWaiting(entry) ? gettext("waits to be sent") : "",
      entry.retired?.length ? say(gettext("retired since: %(labels)s"), { labels: entry.retired.join(", ") }) : "",
    ].filter(Boolean);
  }
  /** @param {Entry} entry @param {number} i */
  function row(entry, i) {
    const more = facts(entry);
    const button = el(
      "button.again",
      { type: "button", title: entry.summary, onclick: () => onOpen(entry) },
      el("span.cut", { dir: "auto" }, entry.summary),
      el("time.dimmer", { dateTime: entry.at }, hour(entry.at)),
      el("b", { dir: "auto" }, entry.answer),
      i === 0 ? el("kbd", { "aria-hidden": "true" }, shown("KeyZ")) : null,
      more.length ? el("small.dimmer", {}, more.join(" · ")) : null,
      el("span.vh", {}, gettext("Change this answer")),
    );
    return el("li", {}, button);
  }
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const all = $$("button", list),
      at = all.indexOf(document.activeElement);
    const places = new Map([
      ["ArrowDown", at + 1],
      ["ArrowUp", at - 1],
      ["Home", 0],
      ["End", all.length - 1],
    ]);
    const to = places.get(event.key);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
  });

  return {
    paint,
    /** @param {Entry} entry */
    add(entry) {
      kept = [entry, ...kept.filter(e => e !== entry && e.client_id !== entry.client_id)].slice(0, depth);
    },
    /** @param {string} clientId */
    remove(clientId) {
      kept = kept.filter(entry => entry.client_id !== clientId);
    },
    /** @param {Entry[]} found */
    replace(found) {
      kept = found.slice(0, depth);
    },
    focus() {
      $("#last-answers").open = true;
      $("button", list)?.focus();
    },
    get inside() {
      return list.contains(document.activeElement);
    },
    /** @returns {Entry | undefined} */
    get last() {
      return kept[0];
    },
  };
}
