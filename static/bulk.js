// @ts-check
// Keys of the page of similar examples. Without this file it is a plain form and works as well.

import { $, $$, composing } from "./dom.js";
import { many } from "./words.js";

const IDLE_MS = 5 * 60 * 1000; // the clock stops after five minutes without a sign of life
const FREE = "1234567890QWERTYUIOPSDFGHJKLXCVBNM"; // for labels without a key of their own; A selects, Z undoes

const form = $("#bulk"),
  boxes = $$("input[name=example]", form),
  labels = $$("[data-label]", form),
  send = $("[data-send]", form),
  told = $("#selected"),
  all = $("#all"),
  undo = $("#undo-batch button");
let seen = performance.now(),
  active = 0;

const selected = () => boxes.filter(box => box.checked).length;
function count() {
  const n = selected();
  const none = gettext("Nothing is selected. Press Space on an example, or A for all.");
  told.textContent = n ? many(ngettext("1 selected", "%(n)s selected", n), n) : none;
  told.classList.toggle("dim", n > 0);
  for (const button of send ? [send] : labels) button.setAttribute("aria-disabled", String(n === 0));
}
/** Time goes on while the tab is seen. */
function working() {
  const now = performance.now();
  if (!document.hidden) active += Math.min(now - seen, IDLE_MS);
  seen = now;
}
/** @param {number} step */
function move(step) {
  const at = boxes.indexOf(document.activeElement) + step;
  const next = boxes[Math.min(Math.max(at, 0), boxes.length - 1)];
  next.focus();
  next.closest("tr").scrollIntoView({ block: "nearest" });
}
function toggleAll() {
  const on = selected() < boxes.length;
  for (const box of boxes) box.checked = on;
  count();
}
/** @param {KeyboardEvent} event */
const keyOf = ({ code }) => /^(?:Digit|Key)(.)$/.exec(code)?.[1] ?? "";

function keysOfLabels() {
  const keys = new Map(labels.filter(l => /^[0-9B-Y]$/.test(l.dataset.key)).map(l => [l.dataset.key, l]));
  const owned = new Set(keys.values());
  for (const label of labels.filter(l => !owned.has(l))) {
    const free = [...FREE].find(key => !keys.has(key));
    if (free) keys.set(free, label);
  }
  return keys;
}

const keys = keysOfLabels();
for (const [key, label] of keys) {
  const shown = $("kbd", label.matches("input") ? label.parentElement : label);
  shown.textContent = key;
  shown.hidden = false;
}
for (const shown of $$("#undo-batch kbd, [data-send] kbd")) shown.hidden = false;
all.hidden = false;
all.addEventListener("click", toggleAll);
form.addEventListener("change", count);
for (const name of ["pointerdown", "keydown", "wheel"]) addEventListener(name, working, { passive: true });
document.addEventListener("visibilitychange", working);

/** What a key does, or nothing. @param {KeyboardEvent} event @param {Element} at @returns {(() => void) | undefined} */
function actOf(event, at) {
  const key = keyOf(event),
    label = keys.get(key);
  if (event.code === "ArrowDown") return () => move(1);
  if (event.code === "ArrowUp") return () => move(-1);
  if (key === "A") return toggleAll;
  if (key === "Z" && undo) return () => undo.click();
  if (label) return () => label.click();
  const sends = event.code === "Enter" && send && !at.matches("button, a, summary");
  return sends ? () => send.click() : undefined;
}
document.addEventListener("keydown", event => {
  const at = event.target;
  if (composing(event)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || !(at instanceof Element)) return;
  if (at.matches("input:not([type=checkbox]), select, textarea")) return;
  const act = actOf(event, at);
  if (!act) return;
  act();
  event.preventDefault();
});
form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  working();
  form.elements.active_ms.value = Math.round(active);
  if (selected()) return;
  event.preventDefault();
  count();
  boxes[0].focus();
});
count();
(boxes.find(box => box.checked) || boxes[0]).focus({ preventScroll: true });
