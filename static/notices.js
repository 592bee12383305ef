// @ts-check
// What comes while a page is open: a few toasts, told politely; the bell counts all of it.

import { $, $$ } from "./dom.js";

const MOST = 4; // at once; older ones stand behind the bell
const messages = $("#messages");
/** @type {Set<string>} */
const shown = new Set();
let since = "",
  address = "";

/** The first bell of the page says when it was opened. */
function remember() {
  const bell = $("#bell .bell");
  if (since || !bell) return;
  since = bell.dataset.since || "";
  address = bell.dataset.toasts || "";
}

/** Warnings make room before alarms do. */
function makeRoom() {
  const open = $$(".toast[data-key]", messages);
  const order = [...open.filter(box => !box.matches(".breach")), ...open.filter(box => box.matches(".breach"))];
  for (const box of order.slice(0, Math.max(0, open.length - MOST))) box.remove();
}

async function look() {
  remember();
  if (!since || !messages) return;
  const query = new URLSearchParams({ since, shown: [...shown].slice(-60).join(",") });
  const answer = await fetch(`${address}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status !== 200 || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const box of $$(".toast", page)) {
    /** @type {string[]} */
    const keys = (box.dataset.key || "").split(",");
    if (keys.every(key => shown.has(key))) continue;
    keys.forEach(key => shown.add(key));
    messages.append(document.importNode(box, true));
  }
  makeRoom();
}

document.body.addEventListener("htmx:afterSettle", remember);
document.body.addEventListener("live:notice", look);
