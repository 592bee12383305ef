// @ts-check
// Named stretches of a text: chosen by pointer or wholly by keys, named by a label's key. They never overlap.

import { counted, labelsOf } from "./counting.js";
import { $, el } from "../dom.js";
import { Paper } from "./paper.js";
import { picks } from "./picks.js";
import { Text, overlap, spanAt, withSpan } from "./text.js";
import { many, say } from "../words.js";

const LONGEST_QUOTE = 60; // characters

/** @typedef {{ spans: Span[] }} Spans */

/** @param {Spans} value */
export const words = value => counted(value.spans) || gettext("no spans");
/** @param {Spans} value */
export const labelsIn = value => labelsOf(value.spans);
/** @param {Spans} value */
export function sendWords({ spans: { length: n } }) {
  return n ? many(ngettext("Send 1 span", "Send %(n)s spans", n), n) : gettext("Nothing to mark");
}
export const sureWords = () => gettext("No span is named. Press Enter again to say that there is none.");

/** @type {Kind["mount"]} */
export function mount(root, { labels, nearest, example, value, suggestion, shown, stage, onChange, tell }) {
  const text = new Text(example.text),
    paper = new Paper($("[data-fill=text]", stage), text);
  /** @type {Span[]} */
  let spans = (value?.spans || []).map((/** @type {Span} */ span) => ({ ...span }));
  /** @type {Stretch | null} */
  let chosen = null;
  let touched = false,
    anchor = 0, // the words between which the stretch was chosen
    head = 0,
    touching = false;

  /** @param {Span} span */
  function dressed(span) {
    const label = labels.find(l => l.name === span.label);
    const words = label ? span.label : say(gettext("%(label)s (retired)"), { label: span.label });
    return { ...span, color: label?.color, words };
  }
  const active = () => spanAt(spans, chosen);
  /** @param {Stretch} range */
  function quoted(range) {
    const found = text.slice(range.start, range.end);
    return found.length > LONGEST_QUOTE ? `${found.slice(0, LONGEST_QUOTE)}…` : found;
  }
  function chosenWords() {
    const own = active();
    const rename = gettext("“%(words)s” is %(label)s. Another label renames it.");
    if (own) return say(rename, { words: quoted(own), label: own.label });
    return chosen ? say(gettext("“%(words)s” is chosen. A label names it."), { words: quoted(chosen) }) : "";
  }

  function paint() {
    const ghosts = !touched && !spans.length && suggestion ? suggestion.value.spans : [];
    paper.paint(spans.map(dressed), chosen, ghosts.map(dressed));
    paintChosen();
    grid?.paint();
    $("[data-list]", root).replaceChildren(...spans.map(chip));
  }
  function paintChosen() {
    const how = gettext("Choose words: with the pointer, or with the arrow keys.");
    $("[data-chosen]", root).textContent = chosenWords() || how;
    $("[data-remove]", root).hidden = !active();
    $("[data-extend]", root).hidden = !chosen;
  }
  /** @param {Span} span */
  function chip(span) {
    const onclick = () => {
      choose(span);
      paper.root.focus();
    };
    const quote = el("span", { dir: "auto" }, quoted(span)),
      label = el("b", { dir: "auto" }, dressed(span).words);
    return el("li", {}, el("button.chip", { type: "button", onclick }, quote, label));
  }
  function changed() {
    touched = true;
    paint();
    onChange();
  }

  /** @param {Stretch} range */
  function choose(range) {
    chosen = { start: range.start, end: range.end };
    anchor = text.wordAt(range.start);
    head = text.wordAt(range.end - 1);
    paint();
    tell(chosenWords());
  }
  /** @param {number} place */
  function chooseWord(place) {
    const word = text.words[Math.min(Math.max(place, 0), text.words.length - 1)];
    choose(spans.find(s => overlap(s, word)) ?? word);
  }
  /** The stretch becomes this one by an extension, which keeps the anchor. @param {Stretch} range */
  function rechoose(range) {
    chosen = range;
    paint();
    tell(say(gettext("“%(words)s” is chosen. A label names it."), { words: quoted(chosen) }));
  }
  function scroll() {
    if (!chosen) return;
    const place = paper.place(chosen),
      box = paper.root.getBoundingClientRect();
    const isSeen = place.bottom <= box.bottom && place.top >= box.top;
    if (!isSeen) paper.root.scrollBy(0, place.top - box.top - box.height / 3);
  }

  // --- by keys
  /** @param {number} step */
  function wordFrom(step) {
    const at = chosen;
    if (!at) return step > 0 ? 0 : Infinity;
    return step > 0 ? text.wordAt(at.end) : text.words.findLastIndex(w => w.end <= at.start);
  }
  /** @param {number} step */
  function move(step) {
    chooseWord(wordFrom(step));
    scroll();
  }
  /** @param {number} step */
  function extend(step) {
    if (!chosen) return move(step);
    head = Math.min(Math.max(head + step, 0), text.words.length - 1);
    rechoose({ start: text.words[Math.min(anchor, head)].start, end: text.words[Math.max(anchor, head)].end });
    return scroll();
  }
  /** @param {number} step @param {boolean} atEnd */
  function fine(step, atEnd) {
    if (!chosen) return;
    const { start, end } = chosen;
    const next = atEnd ? { start, end: text.signFrom(end, step) } : { start: text.signFrom(start, step), end };
    if (next.start < next.end) rechoose(next);
  }
  /** @param {number} step */
  function line(step) {
    if (!chosen) return move(step);
    const place = paper.place(chosen),
      height = parseFloat(getComputedStyle(paper.root).lineHeight) || 24;
    const point = paper.at(place.left + 4, step > 0 ? place.bottom + height / 2 : place.top - height / 2);
    if (point === null) return undefined;
    chooseWord(text.wordAt(point));
    return scroll();
  }
  const ahead = (/** @type {number} */ step) => (paper.rightToLeft ? -step : step);
  /** Right and left in one: listed once. @param {string} words @param {(step: number) => void} act @param {{ shift: boolean, fine?: boolean }} held @returns {Binding[]} */
  const sideways = (words, act, held) => [
    { code: "ArrowRight", words, act: () => act(ahead(1)), repeat: true, shown: ["ArrowLeft", "ArrowRight"], ...held },
    { code: "ArrowLeft", words: "", act: () => act(ahead(-1)), repeat: true, ...held },
  ];
  /** @type {Binding[]} */
  const moves = [
    ...sideways(gettext("Move by word"), move, { shift: false }),
    ...sideways(gettext("Extend or shorten by a word"), extend, { shift: true }),
    ...sideways(gettext("Move the beginning by a letter"), step => fine(step, false), { shift: false, fine: true }),
    ...sideways(gettext("Move the end by a letter"), step => fine(step, true), { shift: true, fine: true }),
    {
      code: "ArrowDown",
      words: gettext("Move by line"),
      act: () => line(1),
      repeat: true,
      shown: ["ArrowUp", "ArrowDown"],
    },
    { code: "ArrowUp", words: "", act: () => line(-1), repeat: true },
    { code: "Home", words: "", act: () => chooseWord(0), repeat: true },
    { code: "End", words: "", act: () => chooseWord(Infinity), repeat: true },
  ];

  // --- what is named
  /** @param {string} label */
  function name(label) {
    chosen ??= paper.selected();
    if (!chosen) return tell(gettext("Choose words first, then a label."), true);
    const found = withSpan(spans, chosen, label);
    if (found.clash) {
      const clash = { words: quoted(found.clash), label: found.clash.label };
      const sentence = gettext(
        "“%(words)s” is %(label)s already, and spans cannot overlap. Remove it first, or choose fewer words.",
      );
      return tell(say(sentence, clash), true);
    }
    spans = found.spans;
    changed();
    return tell(say(gettext("“%(words)s” is %(label)s."), { words: quoted(found.named), label }));
  }
  function remove() {
    const own = active();
    if (!own) return false;
    spans = spans.filter(s => s !== own);
    changed();
    return tell(say(gettext("“%(words)s” is no span any more."), { words: quoted(own) }));
  }

  // --- by pointer
  function release(/** @type {MouseEvent} */ event) {
    const range = paper.selected();
    if (range) {
      if (touching) return; // a finger's selection keeps its handles until a label is pressed
      getSelection()?.removeAllRanges();
      choose(range);
      return;
    }
    const point = paper.at(event.clientX, event.clientY);
    const onText = /** @type {Element} */ (event.target).closest("[data-fill=text]");
    if (point !== null && onText) chooseWord(text.wordAt(point));
  }
  function selecting() {
    const range = touching ? paper.selected() : null;
    if (!range) return;
    chosen = range;
    anchor = text.wordAt(range.start);
    head = text.wordAt(range.end - 1);
    paintChosen();
  }
  paper.root.onpointerdown = event => {
    touching = event.pointerType !== "mouse";
  };
  paper.root.onclick = release;
  document.addEventListener("selectionchange", selecting);
  paper.root.setAttribute("tabindex", "0");
  paper.root.setAttribute("role", "application");
  paper.root.setAttribute(
    "aria-label",
    gettext("The text. Arrows move by word, with Shift they extend; a label’s key names what is chosen."),
  );
  paper.root.setAttribute("aria-describedby", "spans-help");
  $("[data-remove]", root).onclick = remove;
  $("[data-extend]", root).onclick = () => extend(1);

  /** @type {ReturnType<typeof picks> | null} */
  let grid = null;
  grid = picks(root, {
    labels,
    nearest,
    shown,
    onPick: name,
    words: label => say(gettext("Name the chosen words %(label)s"), { label }),
    pressed: label => active()?.label === label,
  });
  paint();

  return {
    value: () => ({ spans: spans.map(({ start, end, label }) => ({ start, end, label })) }),
    changed: () => touched,
    /** @param {Spans} given */
    take(given) {
      spans = given.spans.map(span => ({ ...span }));
      chosen = null;
      changed();
    },
    get keys() {
      return [...grid.keys, ...moves, { code: "Delete", words: gettext("Remove the chosen span"), act: remove }];
    },
    repaint: paint,
    unmount: () => document.removeEventListener("selectionchange", selecting),
  };
}
