// @ts-check
// The labels as buttons: all of them, or the twelve nearest A to Z with a filter over the rest.

import { $, composing, el, jointed } from "../dom.js";
import { MOST_PICKS, aliases, codeOf, folded, offered } from "./hotkeys.js";

/**
 * @param {HTMLElement} root
 * @param {object} given
 * @param {Label[]} given.labels
 * @param {string[]} given.nearest
 * @param {(code: string) => string} given.shown the letter on the reader's key
 * @param {(name: string) => boolean | undefined} given.pressed marks a button
 * @param {(name: string, event?: MouseEvent) => void} given.onPick
 * @param {(name: string) => string} given.words what the key does
 */
export function picks(root, { labels, nearest, shown, pressed, onPick, words }) {
  const grid = $("[data-picks]", root),
    find = labels.length > MOST_PICKS ? $("[data-find]", root) : null;
  const now = () => offered(labels, { nearest, typed: find?.value || "" });

  /** @param {Label & { key: string }} pick */
  function button(pick) {
    const key = pick.key ? el("kbd", { "aria-hidden": "true" }, shown(codeOf(pick.key))) : null;
    const name = el("span", { dir: "auto" }, ...jointed(pick.name));
    const made = el("button.pick", { type: "button", "data-label": pick.name }, key, name);
    if (pick.description) made.title = pick.description;
    const state = pressed(pick.name);
    if (state !== undefined) made.setAttribute("aria-pressed", String(state));
    if (/^#[0-9a-f]{6}$/i.test(pick.color)) made.style.setProperty("--pick", pick.color);
    return made;
  }
  function paint() {
    const made = now().map(button);
    const focused = grid.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.label
      : null;
    grid.classList.toggle("ten", labels.length === 10 && labels.every(l => l.name.length < 9));
    grid.classList.toggle("two", labels.length === 2);
    grid.classList.toggle("three", labels.length === 3);
    grid.replaceChildren(...made);
    if (!made.length) grid.append(el("p.dim", {}, gettext("No label has a word that begins so.")));
    if (focused !== null) made.find(b => b.dataset.label === focused)?.focus();
  }
  function leave() {
    find.value = "";
    find.blur();
    paint();
  }

  grid.onclick = (/** @type {MouseEvent} */ event) => {
    const pick = /** @type {Element} */ (event.target).closest(".pick");
    if (pick instanceof HTMLElement) onPick(/** @type {string} */ (pick.dataset.label), event);
  };
  if (find) {
    find.value = "";
    find.oninput = paint;
    find.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      if (composing(event)) return;
      if (event.key === "Enter") {
        event.preventDefault();
        const first = folded(find.value) ? $(".pick", grid) : null; // nothing typed, nothing meant
        if (!first) return;
        first.click();
        leave();
      }
      if (event.key === "Escape") {
        leave();
        event.stopPropagation();
      }
    };
  }
  paint();

  return {
    paint,
    /** @returns {Binding[]} */
    get keys() {
      const second = aliases(labels);
      const codes = (/** @type {Label & { key: string }} */ l) => [
        codeOf(l.key),
        ...second.filter(alias => alias.name === l.name).map(alias => alias.code),
      ];
      const own = now()
        .filter(l => l.key)
        .map(l => {
          return {
            code: codeOf(l.key),
            shift: false,
            words: words(l.name),
            act: () => onPick(l.name),
            shown: codes(l),
          };
        });
      const names = second.map(({ name, code }) => ({ code, shift: false, act: () => onPick(name) }));
      const filter = gettext("Filter all labels; Enter takes the first");
      return [...own, ...names, ...(find ? [{ code: "/", words: filter, act: () => find.focus() }] : [])];
    },
  };
}
