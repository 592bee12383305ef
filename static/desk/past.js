// The last answers, newest first: what can be undone or changed.

import { $, $$, el } from "./dom.js";
import { hour, say } from "./words.js";

/** `onOpen(entry)` when one is to be changed; `isWaiting(entry)` while it has not left; `shown(code)` for the key. */
export function past({ entries, depth, isWaiting, onOpen, shown }) {
  const list = $("#undo-list");
  let kept = entries.slice(0, depth);

  function paint(open = null) {
    const focused = $$("button", list).indexOf(document.activeElement);
    $("#undo").disabled = !kept.length;
    list.replaceChildren(...kept.map((entry, i) => row(entry, i, entry === open)));
    if (focused >= 0) $$("button", list)[Math.min(focused, kept.length - 1)]?.focus();
    $("#no-past").hidden = kept.length > 0;
  }
  function row(entry, i, open) {
    const facts = [
      entry.guidelines ? say("guidelines_short", { n: entry.guidelines }) : "", entry.flagged ? say("flagged") : "",
      entry.comment ? say("commented") : "", isWaiting(entry) ? say("waits") : "",
      entry.retired?.length ? say("retired_since", { labels: entry.retired.join(", ") }) : "",
    ].filter(Boolean);
    return el("li", { className: open ? "open" : "" },
      el("button.again", { type: "button", title: entry.summary, onclick: () => onOpen(entry) },
        el("span.cut", { dir: "auto" }, entry.summary), el("time.dimmer", { dateTime: entry.at }, hour(entry.at)),
        el("b", { dir: "auto" }, entry.answer), i === 0 ? el("kbd", { "aria-hidden": "true" }, shown("KeyZ")) : null,
        facts.length ? el("small.dimmer", {}, facts.join(" · ")) : null, el("span.vh", {}, say("change_this"))));
  }
  list.addEventListener("keydown", event => {
    const all = $$("button", list), at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
  });

  return {
    paint,
    add(entry) { kept = [entry, ...kept.filter(e => e !== entry && e.client_id !== entry.client_id)].slice(0, depth); },
    remove(clientId) { kept = kept.filter(entry => entry.client_id !== clientId); },
    replace(found) { kept = found.slice(0, depth); },
    focus() { $("button", list)?.focus(); },
    get inside() { return list.contains(document.activeElement); },
    find: clientId => kept.find(entry => entry.client_id === clientId),
    get last() { return kept[0]; },
    get all() { return kept; },
  };
}

/** What the console knows, and on top what still waits here. */
export function merged(stored, rows) {
  let entries = [...stored];
  for (const row of rows) {
    const gone = row.kind === "answer" ? row.id : row.kind === "edit" ? row.body.of : row.body.client_id;
    const known = entries.find(entry => entry.client_id === row.id);
    entries = entries.filter(entry => entry.client_id !== gone || entry === known);
    if (row.kind !== "undo" && row.entry && !known) entries = [{ ...row.entry, client_id: row.id }, ...entries];
  }
  return entries;
}

