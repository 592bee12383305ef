// @ts-check
// Keys by their place on the keyboard, shown as the letters of the reader's layout. What `?` lists is what works now.

import { $, $$, composing, el } from "../dom.js";
import { bindingOf } from "./hotkeys.js";

const OFF = "fastloop.desk.keys-off"; // WCAG 2.1.4: keys that are single characters can be turned off
/** @type {Record<string, string>} */
const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−", Home: "Home", End: "End" };
/** @type {() => Record<string, string>} */
const names = () => ({
  Space: gettext("Space"),
  Enter: gettext("Enter"),
  Escape: gettext("Esc"),
  Delete: gettext("Del"),
  Tab: gettext("Tab"),
});

function wereOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false; // forbidden: they stay on
  }
}
/** @param {boolean} off */
function keep(off) {
  try {
    localStorage.setItem(OFF, off ? "1" : "");
  } catch {
    /* this page only */
  }
}

/** Whether a press belongs to what has the focus. @param {Element} at @param {KeyboardEvent} event */
function isOwn(at, event) {
  if (at.closest("textarea, select, input:not([type=radio], [type=checkbox])")) return true;
  if (at.matches("input") && /^(Arrow|Space)/.test(event.code)) return true;
  const presses = event.code === "Space" || event.code === "Enter";
  return presses && at.closest(":is(button, a, summary):focus-visible") !== null;
}

/** @param {() => Binding[]} bindings by precedence; `act` returns false to leave the key to the browser, without `words` it is not listed */
export function keyboard(bindings) {
  /** @type {Map<string, string> | null} */
  let layout = null;
  let off = wereOff();

  /** @param {string} code */
  function shown(code) {
    const name = names()[code] ?? SIGNS[code];
    if (name) return name;
    if (code.startsWith("Digit")) return code.slice(5);
    return code.startsWith("Key") ? layout?.get(code)?.toUpperCase() || code.slice(3) : code;
  }

  function pressed(/** @type {KeyboardEvent} */ event) {
    if (off && event.key === "?") event.stopImmediatePropagation(); // the list stays behind its button
    const at = event.target;
    if (composing(event) || event.metaKey || event.defaultPrevented || !(at instanceof Element) || $("dialog[open]"))
      return;
    if (isOwn(at, event)) return;
    const found = bindingOf(bindings(), event, off);
    if (found && found.act(event) !== false) event.preventDefault();
  }
  addEventListener("keydown", pressed, true);

  function list() {
    const fixed = $("#keys-switch"),
      made = new Map();
    $$("[data-made]", fixed.parentElement).forEach(row => row.remove());
    for (const b of bindings()) {
      if (!b.words || made.has(b.words)) continue;
      const held = [b.fine && gettext("Ctrl or Alt"), b.shift && gettext("Shift")];
      const keys = [...held, ...(b.shown || [b.code]).map(shown)].filter(Boolean);
      const cells = keys.flatMap(k => [el("kbd", {}, /** @type {string} */ (k)), " "]);
      made.set(b.words, el("div", { "data-made": true }, el("dt", {}, ...cells), el("dd", {}, b.words)));
    }
    fixed.before(...made.values());
  }
  const box = $("#keys-on"),
    dialog = $("#keys");
  const mark = () => document.body.classList.toggle("keys-off", off);
  box.checked = !off;
  box.addEventListener("change", () => {
    off = !box.checked;
    mark();
    keep(off);
  });
  mark();
  new MutationObserver(() => {
    if (dialog.open) list();
  }).observe(dialog, { attributes: true, attributeFilter: ["open"] });

  return {
    shown,
    /** Once the browser has told which letters stand on the keys. */
    async ready() {
      layout = (await navigator.keyboard?.getLayoutMap?.().catch(() => null)) ?? null;
    },
  };
}
