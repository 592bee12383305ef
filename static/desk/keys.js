// Keys by their place on the keyboard, shown as the letters of the reader's layout. What `?` lists is what works now.

import { $, $$, el } from "./dom.js";
import { say } from "./words.js";

const OFF = "fastloop.desk.keys-off";  // WCAG 2.1.4: keys that are single characters can be turned off
const NAMES = { Space: "key_space", Enter: "key_enter", Escape: "key_esc", Delete: "key_del", Tab: "key_tab" };
const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−", Home: "Home", End: "End" };
const CHARACTER = /^(Digit|Key|Space$|Equal$|.$)/u;

export const codeOf = key => (/^[0-9]$/.test(key) ? `Digit${key}` : /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key);

/**
 * `bindings()` lists, by precedence, { code, shift, fine, words, act, repeat, shown }: `shift` true, false or, undefined, either;
 * `fine` wants Ctrl or Alt; `act` returns false to leave the key to the browser. Without `words` a key is not listed.
 */
export function keyboard(bindings) {
  let layout = null, off = false;
  try { off = localStorage.getItem(OFF) === "1"; } catch { /* forbidden: they stay on */ }

  const letter = code => layout?.get(code)?.toUpperCase() || code.slice(3);
  function shown(code) {
    if (NAMES[code]) return say(NAMES[code]);
    if (SIGNS[code]) return SIGNS[code];
    return code.startsWith("Digit") ? code.slice(5) : code.startsWith("Key") ? letter(code) : code;
  }

  function find(event) {
    const code = event.code.replace(/^Numpad(?=[0-9])/, "Digit").replace("NumpadEnter", "Enter").replace("Backspace", "Delete");
    const fine = event.ctrlKey || event.altKey;
    return bindings().find(b => (b.code === code || b.code === event.key.toUpperCase() && b.code.length === 1)
      && (b.shift === undefined || b.shift === event.shiftKey) && Boolean(b.fine) === fine
      && (!event.repeat || b.repeat) && !(off && CHARACTER.test(b.code)));
  }

  addEventListener("keydown", event => {
    if (off && event.key === "?") event.stopImmediatePropagation();  // the list stays behind its button
    const at = event.target;
    if (event.metaKey || event.defaultPrevented || !(at instanceof Element) || $("dialog[open]")) return;
    const typing = at.closest("textarea, select, input:not([type=radio], [type=checkbox])");
    if (typing) return;
    if (at.matches("input") && /^(Arrow|Space)/.test(event.code)) return;
    if ((event.code === "Space" || event.code === "Enter") && at.closest(":is(button, a, summary):focus-visible")) return;
    const found = find(event);
    if (found && found.act(event) !== false) event.preventDefault();
  }, true);

  function list() {
    const fixed = $("#keys-switch");
    $$("[data-made]", fixed.parentElement).forEach(row => row.remove());
    const made = [];
    for (const b of bindings()) {
      if (!b.words || made.some(row => row.words === b.words)) continue;
      const keys = [b.fine && say("key_ctrl"), b.shift && say("key_shift"), ...(b.shown || [b.code]).map(shown)].filter(Boolean);
      made.push({ words: b.words, row: el("div", { "data-made": true }, el("dt", {}, ...keys.flatMap(k => [el("kbd", {}, k), " "])), el("dd", {}, b.words)) });
    }
    fixed.before(...made.map(m => m.row));
  }
  const box = $("#keys-on");
  box.checked = !off;
  box.addEventListener("change", () => {
    off = !box.checked;
    document.body.classList.toggle("keys-off", off);
    try { localStorage.setItem(OFF, off ? "1" : ""); } catch { /* this page only */ }
  });
  document.body.classList.toggle("keys-off", off);
  new MutationObserver(() => { if ($("#keys").open) list(); }).observe($("#keys"), { attributes: true, attributeFilter: ["open"] });

  return {
    shown,
    /** Once the browser has told which letters stand on the keys. */
    ready: navigator.keyboard?.getLayoutMap?.().then(map => { layout = map; }).catch(() => {}) ?? Promise.resolve(),
  };
}
