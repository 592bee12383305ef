// The labels as buttons: all of them, or the twelve nearest A to Z with a filter over the rest.

import { codeOf } from "./keys.js";
import { $, el } from "./dom.js";
import { say } from "./words.js";

export const MOST_PICKS = 12;
const PLACES = [..."1234QWERASDF"];  // keys of the grid when the labels are more than it holds

const isKey = name => /^[a-z0-9]$/i.test(name);
/** A second key: the label’s own letter, or its number where no label has a number; where that key is free. */
function aliases(labels) {
  if (labels.length > MOST_PICKS) return [];
  const numbers = labels.length < 10 && !labels.some(l => /[0-9]/.test(l.hotkey));
  const wanted = labels.map((l, i) => [l.name, isKey(l.name) && l.name.toUpperCase() !== l.hotkey.toUpperCase() ? l.name : numbers ? `${i + 1}` : ""]);
  return wanted.filter(([, key]) => key && !labels.some(o => o.hotkey.toUpperCase() === key.toUpperCase())).map(([name, key]) => ({ name, code: codeOf(key) }));
}

/** The keys that labels have, by place on the keyboard. */
export function codesOf(labels) {
  if (labels.length > MOST_PICKS) return new Set(PLACES.map(codeOf));
  return new Set([...labels.filter(l => l.hotkey).map(l => codeOf(l.hotkey)), ...aliases(labels).map(alias => alias.code)]);
}

/** `shown(code)` is the letter on the reader's key; `pressed(name)` marks a button; `onPick(name)` answers. */
export function picks(root, { labels, nearest, shown, pressed, onPick, words }) {
  const grid = $("[data-picks]", root), find = $("[data-find]", root);
  const many = labels.length > MOST_PICKS;

  function offered() {
    if (!many) return labels.map(l => ({ ...l, key: l.hotkey }));
    const typed = (find?.value || "").trim().toLowerCase();
    if (typed) return labels.filter(l => l.name.toLowerCase().includes(typed)).slice(0, MOST_PICKS).map(l => ({ ...l, key: "" }));
    const near = nearest.map(name => labels.find(l => l.name === name)).filter(Boolean);
    const twelve = [...near, ...labels.filter(l => !near.includes(l))].slice(0, MOST_PICKS);
    return twelve.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })).map((l, i) => ({ ...l, key: PLACES[i] }));
  }

  function button(pick) {
    const key = pick.key ? el("kbd", { "aria-hidden": "true" }, shown(codeOf(pick.key))) : null;
    const made = el("button.pick", { type: "button", "data-label": pick.name }, key, el("span", { dir: "auto" }, pick.name));
    const state = pressed?.(pick.name);
    if (state !== undefined) made.setAttribute("aria-pressed", String(state));
    if (/^#[0-9a-f]{6}$/i.test(pick.color)) made.style.setProperty("--pick", pick.color);
    return made;
  }
  function paint() {
    const now = offered(), focused = grid.contains(document.activeElement) ? document.activeElement.dataset.label : null;
    grid.classList.toggle("ten", labels.length === 10 && labels.every(l => l.name.length < 9));
    grid.classList.toggle("two", labels.length === 2);
    grid.classList.toggle("three", labels.length === 3);
    grid.replaceChildren(...now.map(button));
    if (!now.length) grid.append(el("p.dim", {}, say("no_label_has_these_letters")));
    if (focused !== null) [...grid.children].find(b => b.dataset.label === focused)?.focus();
  }

  grid.onclick = event => {
    const pick = event.target.closest(".pick");
    if (pick) onPick(pick.dataset.label, event);
  };
  if (find) {
    find.value = "";
    find.oninput = paint;
    find.onkeydown = event => {
      if (event.key === "Enter") { event.preventDefault(); $(".pick", grid)?.click(); find.value = ""; find.blur(); paint(); }
      if (event.key === "Escape") { find.value = ""; find.blur(); paint(); event.stopPropagation(); }
    };
  }
  paint();

  return {
    paint,
    get keys() {
      const second = aliases(labels);
      const own = offered().filter(l => l.key).map(l => ({
        code: codeOf(l.key), shift: false, words: words(l.name), act: () => onPick(l.name),
        shown: [codeOf(l.key), ...second.filter(alias => alias.name === l.name).map(alias => alias.code)],
      }));
      const names = second.map(({ name, code }) => ({ code, shift: false, act: () => onPick(name) }));
      const slash = find ? [{ code: "/", words: say("keys_find"), act: () => find.focus() }] : [];
      return [...own, ...names, ...slash];
    },
  };
}
