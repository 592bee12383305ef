// Named stretches of a text: chosen by pointer or wholly by keys, named by a label's key. They never overlap.

import { $, el } from "./dom.js";
import { Paper } from "./paper.js";
import { picks } from "./picks.js";
import { Text, overlap } from "./text.js";
import { many, say } from "./words.js";

export const words = value => counted(value.spans) || say("no_spans");
export const labelsIn = value => [...new Set(value.spans.map(span => span.label))];
export const none = () => ({ spans: [] });
export const sendWords = value => (value.spans.length ? many("send_spans", value.spans.length) : say("send_no_span"));
export const sureWords = () => say("sure_no_span");

function counted(spans) {
  const times = new Map();
  for (const { label } of spans) times.set(label, (times.get(label) || 0) + 1);
  return [...times].map(([label, n]) => `${n} ${label}`).join(", ");
}

export function mount(root, { labels, nearest, example, value, suggestion, shown, stage, onChange, tell }) {
  const text = new Text(example.text), paper = new Paper($("[data-fill=text]", stage), text);
  const isOffered = name => labels.some(l => l.name === name);
  let spans = (value?.spans || []).map(span => ({ ...span })), touched = false, chosen = null, anchor = 0, head = 0, touching = false;

  const dressed = span => ({ ...span, color: labels.find(l => l.name === span.label)?.color,
    words: isOffered(span.label) ? span.label : say("label_retired", { label: span.label }) });
  const active = () => (chosen ? spans.find(s => s.start <= chosen.start && chosen.end <= s.end) : undefined);
  const quoted = range => { const found = text.slice(range.start, range.end); return found.length > 60 ? `${found.slice(0, 60)}…` : found; };

  function paint() {
    const ghosts = !touched && !spans.length && suggestion ? suggestion.value.spans : [];
    paper.paint(spans.map(dressed), chosen, ghosts.map(dressed));
    paintChosen();
    grid?.paint();
    $("[data-list]", root).replaceChildren(...spans.map(chip));
  }
  function paintChosen() {
    const own = active();
    $("[data-chosen]", root).textContent = chosen ? (own ? say("chosen_named", { words: quoted(own), label: own.label }) : say("chosen", { words: quoted(chosen) })) : say("choose_words");
    $("[data-remove]", root).hidden = !own;
    $("[data-extend]", root).hidden = !chosen;
  }
  function chip(span) {
    return el("li", {}, el("button.chip", { type: "button", onclick: () => { choose(span); paper.root.focus(); } },
      el("span", { dir: "auto" }, quoted(span)), el("b", { dir: "auto" }, dressed(span).words)));
  }
  function changed() { touched = true; paint(); onChange(); }

  function choose(range) {
    chosen = { start: range.start, end: range.end };
    anchor = text.wordAt(range.start);
    head = text.wordAt(range.end - 1);
    paint();
    const own = active();
    if (own) tell(say("chosen_named", { words: quoted(own), label: own.label }));
    else if (chosen) tell(say("chosen", { words: quoted(chosen) }));
  }
  function chooseWord(place) {
    const word = text.words[Math.min(Math.max(place, 0), text.words.length - 1)];
    choose(spans.find(s => overlap(s, word)) ?? word);
  }
  function scroll() {
    const place = chosen && paper.place(chosen), box = paper.root.getBoundingClientRect();
    if (place && (place.bottom > box.bottom || place.top < box.top)) paper.root.scrollBy(0, place.top - box.top - box.height / 3);
  }

  // --- by keys
  function move(step) {
    const place = !chosen ? (step > 0 ? 0 : Infinity) : step > 0 ? text.wordAt(chosen.end) : text.words.findLastIndex(w => w.end <= chosen.start);
    chooseWord(place);
    scroll();
  }
  function extend(step) {
    if (!chosen) return move(step);
    head = Math.min(Math.max(head + step, 0), text.words.length - 1);
    chosen = { start: text.words[Math.min(anchor, head)].start, end: text.words[Math.max(anchor, head)].end };
    paint();
    scroll();
    tell(say("chosen", { words: quoted(chosen) }));
  }
  function fine(step, end) {
    if (!chosen) return;
    const next = end ? { start: chosen.start, end: text.signFrom(chosen.end, step) } : { start: text.signFrom(chosen.start, step), end: chosen.end };
    if (next.start < next.end) { chosen = next; paint(); tell(say("chosen", { words: quoted(chosen) })); }
  }
  function line(step) {
    if (!chosen) return move(step);
    const place = paper.place(chosen), height = parseFloat(getComputedStyle(paper.root).lineHeight) || 24;
    const point = paper.at(place.left + 4, step > 0 ? place.bottom + height / 2 : place.top - height / 2);
    if (point !== null) { chooseWord(text.wordAt(point)); scroll(); }
  }
  const ahead = step => (paper.rightToLeft ? -step : step);
  const arrow = (code, words, act, more = {}) => ({ code, words, act, repeat: true, ...more });
  const moves = [
    arrow("ArrowRight", say("keys_word"), () => move(ahead(1)), { shift: false, shown: ["ArrowLeft", "ArrowRight"] }),
    arrow("ArrowLeft", "", () => move(ahead(-1)), { shift: false }),
    arrow("ArrowRight", say("keys_extend"), () => extend(ahead(1)), { shift: true, shown: ["ArrowLeft", "ArrowRight"] }),
    arrow("ArrowLeft", "", () => extend(ahead(-1)), { shift: true }),
    arrow("ArrowRight", say("keys_begin"), () => fine(ahead(1), false), { shift: false, fine: true, shown: ["ArrowLeft", "ArrowRight"] }),
    arrow("ArrowLeft", "", () => fine(ahead(-1), false), { shift: false, fine: true }),
    arrow("ArrowRight", say("keys_end"), () => fine(ahead(1), true), { shift: true, fine: true, shown: ["ArrowLeft", "ArrowRight"] }),
    arrow("ArrowLeft", "", () => fine(ahead(-1), true), { shift: true, fine: true }),
    arrow("ArrowDown", say("keys_line"), () => line(1), { shown: ["ArrowUp", "ArrowDown"] }),
    arrow("ArrowUp", "", () => line(-1)),
    arrow("Home", "", () => chooseWord(0)),
    arrow("End", "", () => chooseWord(Infinity)),
  ];

  // --- what is named
  function name(label) {
    chosen ??= paper.selected();
    if (!chosen) return tell(say("choose_first"), true);
    const own = active();
    if (own) own.label = label;
    else {
      const clash = spans.find(s => overlap(s, chosen));
      if (clash) return tell(say("spans_overlap", { words: quoted(clash), label: clash.label }), true);
      spans = [...spans, { start: chosen.start, end: chosen.end, label }].sort((a, b) => a.start - b.start);
    }
    changed();
    tell(say("span_named", { words: quoted(own ?? chosen), label }));
  }
  function remove() {
    const own = active();
    if (!own) return false;
    spans = spans.filter(s => s !== own);
    changed();
    return tell(say("span_removed", { words: quoted(own) }));
  }

  // --- by pointer
  function release(event) {
    const range = paper.selected();
    if (range) {
      if (touching) return;  // a finger's selection keeps its handles until a label is pressed
      getSelection().removeAllRanges();
      return choose(range);
    }
    const point = paper.at(event.clientX, event.clientY);
    if (point !== null && event.target.closest("[data-fill=text]")) chooseWord(text.wordAt(point));
  }
  function selecting() {
    if (!touching) return;
    const range = paper.selected();
    if (!range) return;
    chosen = range;
    anchor = text.wordAt(range.start);
    head = text.wordAt(range.end - 1);
    paintChosen();
  }
  paper.root.onpointerdown = event => { touching = event.pointerType !== "mouse"; };
  paper.root.onclick = release;
  document.addEventListener("selectionchange", selecting);
  paper.root.setAttribute("tabindex", "0");
  paper.root.setAttribute("role", "application");
  paper.root.setAttribute("aria-label", say("text_label"));
  paper.root.setAttribute("aria-describedby", "spans-help");
  $("[data-remove]", root).onclick = remove;
  $("[data-extend]", root).onclick = () => extend(1);

  let grid = null;
  grid = picks(root, {
    labels, nearest, shown, onPick: name,
    words: label => say("keys_name", { label }),
    pressed: label => active()?.label === label,
  });
  paint();

  return {
    value: () => ({ spans: spans.map(({ start, end, label }) => ({ start, end, label })) }),
    changed: () => touched,
    take(given) { spans = given.spans.map(span => ({ ...span })); chosen = null; changed(); },
    get keys() { return [...grid.keys, ...moves, { code: "Delete", words: say("keys_remove_span"), act: remove }]; },
    repaint: paint,
    dropRetired() { spans = spans.filter(s => isOffered(s.label)); changed(); },
    unmount: () => document.removeEventListener("selectionchange", selecting),
  };
}
