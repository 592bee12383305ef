// Keys of the page of similar examples. Without this file it is a plain form and works as well.
(() => {
  "use strict";
  const form = document.getElementById("bulk");
  if (!form) return;
  const IDLE_MS = 5 * 60 * 1000;
  const FREE = "1234567890QWERTYUIOPSDFGHJKLXCVBNM";  // for labels without a key of their own; A selects, Z undoes
  const boxes = [...form.querySelectorAll("input[name=example]")];
  const labels = [...form.querySelectorAll("[data-label]")];
  const send = form.querySelector("[data-send]"), said = document.getElementById("selected"), all = document.getElementById("all");
  const undo = document.querySelector("#undo-batch button");
  let seen = performance.now(), active = 0;

  const selected = () => boxes.filter(box => box.checked).length;
  function count() {
    const n = selected();
    said.textContent = n === 0 ? said.dataset.none : n === 1 ? said.dataset.one : said.dataset.many.replace("#", n);
    said.classList.toggle("dim", n > 0);
    for (const button of send ? [send] : labels) button.setAttribute("aria-disabled", String(n === 0));
  }
  function working() {  // the clock stops after five minutes without a sign of life, and while the tab is hidden
    const now = performance.now();
    if (!document.hidden) active += Math.min(now - seen, IDLE_MS);
    seen = now;
  }
  function move(step) {
    const at = boxes.indexOf(document.activeElement), next = boxes[Math.min(Math.max(at + step, 0), boxes.length - 1)];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }
  function toggleAll() {
    const on = selected() < boxes.length;
    for (const box of boxes) box.checked = on;
    count();
  }
  const keyOf = event => event.code.startsWith("Digit") ? event.code.slice(5) : event.code.startsWith("Key") ? event.code.slice(3) : "";

  const keys = new Map();
  for (const label of labels) if (/^[0-9B-Y]$/.test(label.dataset.key)) keys.set(label.dataset.key, label);
  for (const label of labels.filter(x => ![...keys.values()].includes(x))) {
    const free = [...FREE].find(key => !keys.has(key));
    if (free) keys.set(free, label);
  }
  for (const [key, label] of keys) {
    const shown = (label.matches("input") ? label.parentElement : label).querySelector("kbd");
    shown.textContent = key;
    shown.hidden = false;
  }
  for (const shown of document.querySelectorAll("#undo-batch kbd, [data-send] kbd")) shown.hidden = false;
  all.hidden = false;
  all.addEventListener("click", toggleAll);
  form.addEventListener("change", count);
  for (const name of ["pointerdown", "keydown", "wheel"]) addEventListener(name, working, { passive: true });
  document.addEventListener("visibilitychange", working);

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    const key = keyOf(event), label = keys.get(key);
    if (event.code === "ArrowDown" || event.code === "ArrowUp") move(event.code === "ArrowDown" ? 1 : -1);
    else if (key === "A") toggleAll();
    else if (key === "Z" && undo) undo.click();
    else if (key && label) label.click();
    else if (event.code === "Enter" && send && !event.target.matches("button, a, summary")) send.click();
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", event => {
    working();
    form.elements.active_ms.value = Math.round(active);
    if (selected() === 0) {
      event.preventDefault();
      count();
      boxes[0].focus();
    }
  });
  count();
  (boxes.find(box => box.checked) || boxes[0]).focus({ preventScroll: true });
})();
