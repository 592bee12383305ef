// @ts-check
// What every page shares: the CSRF header, "look again" over websockets, one open menu, keys, theme, toasts.

import { $, $$, composing, icon } from "./dom.js";
import { say } from "./words.js";

const { body } = document;
/** What a listener on the whole page was meant for. @param {Event} event @param {string} selector @returns {any} */
const within = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

// --- requests
/** @param {string} name */
const cookie = name =>
  document.cookie
    .split("; ")
    .find(c => c.startsWith(`${name}=`))
    ?.split("=")[1];
const csrf = () => cookie("csrftoken") || $('meta[name="csrf-token"]')?.content || "";

body.addEventListener("htmx:configRequest", event => {
  event.detail.headers["X-CSRFToken"] = csrf();
});
body.addEventListener("htmx:beforeSwap", event => {
  // the session ended: the fragment would be a sign-in page
  const at = new URL(event.detail.xhr.responseURL || location.href, location.href).pathname;
  if (at !== body.dataset.signIn || location.pathname === at) return;
  event.detail.shouldSwap = false;
  location.assign(`${at}?next=${encodeURIComponent(location.pathname + location.search)}`);
});
body.addEventListener("htmx:responseError", event => {
  const status = event.detail.xhr.status;
  const ours = gettext("A fault of ours; it is in the log. What you see may be old. Nothing you sent was half stored.");
  const answered = gettext("The console answered %(status)s. What you see may be old.");
  toast("breach", status >= 500 ? ours : say(answered, { status }));
});
body.addEventListener("htmx:sendError", event => {
  if (event.detail.requestConfig?.verb === "get") return;
  toast("warn", gettext("The console cannot be reached, so this was not sent. Try again when it says Live."));
});

// --- toasts
const STAYS_MS = 7000;
/** @type {Record<string, string>} */
const ICONS = { ok: "ok", warn: "warn", breach: "breach", running: "right" };
const messages = $("#messages");

/** @param {string} kind @param {string} words */
function toast(kind, words) {
  const box = document.createElement("p"),
    sentence = document.createElement("span");
  box.className = `toast ${kind}`;
  sentence.textContent = words;
  box.append(icon(ICONS[kind] || "right"), sentence);
  messages?.append(box);
  return box;
}
/** Errors stay until closed, everything else goes by itself. @param {HTMLElement} box */
function tend(box) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-x";
  close.setAttribute("aria-label", gettext("Close"));
  close.append(icon("x"));
  close.addEventListener("click", () => box.remove());
  box.append(close);
  if (box.classList.contains("breach")) return;
  const leave = () => {
    if (box.matches(":hover, :focus-within")) setTimeout(leave, STAYS_MS);
    else box.remove();
  };
  setTimeout(leave, STAYS_MS);
}
if (messages) {
  $$(".toast", messages).forEach(tend);
  new MutationObserver(seen => {
    for (const node of seen.flatMap(change => [...change.addedNodes])) {
      if (node instanceof HTMLElement && node.classList.contains("toast")) tend(node);
    }
  }).observe(messages, { childList: true });
}

// --- live: a message says what to look at again; several in a row become a first and a last one
const QUIET_MS = 600; // longer than the throttle of the fragments, so that the last one is never swallowed
/** @type {Map<string, { id: any } | null>} */
const resting = new Map();

/** @param {string} what @param {any} id */
function lookAgain(what, id) {
  if (resting.has(what)) {
    resting.set(what, { id });
    return;
  }
  body.dispatchEvent(new CustomEvent(`live:${what}`, { detail: { id } }));
  resting.set(what, null);
  setTimeout(() => {
    const more = resting.get(what);
    resting.delete(what);
    if (more) lookAgain(what, more.id);
  }, QUIET_MS);
}

const RETRY_MS = 500,
  MOST_RETRY_MS = 30_000;
const NOT_OURS = 4403; // the console's code for a topic that this person may not hear
/** @type {Map<string, boolean>} */
const lines = new Map();

function showLine() {
  const all = [...lines.values()],
    up = all.every(Boolean);
  for (const mark of $$("[data-live]")) mark.hidden = !all.length || (mark.dataset.live === "on") !== up;
}
/** @param {string} topic */
function listen(topic, attempt = 0) {
  const [kind, id] = topic.split(".");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/${kind}/${id}/`);
  socket.onmessage = event => {
    const { what, id: subject } = JSON.parse(event.data);
    if (what !== "connected") return lookAgain(what, subject);
    const again = lines.get(topic) === false;
    attempt = 0;
    lines.set(topic, true);
    showLine();
    if (again) body.dispatchEvent(new CustomEvent("live:reconnected"));
    return undefined;
  };
  socket.onclose = event => {
    lines.set(topic, false);
    showLine();
    if (event.code === NOT_OURS) return;
    const wait = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** attempt) * (0.7 + 0.6 * Math.random());
    setTimeout(() => listen(topic, attempt + 1), wait);
  };
}
const ofProject = body.dataset.project ? [`project.${body.dataset.project}`] : [];
const ofPage = (body.dataset.topic || "").trim().split(/\s+/).filter(Boolean);
// every socket hears what is for its person; a page about nothing live opens one for that alone
const ofPerson = body.dataset.person && !ofProject.length && !ofPage.length ? [`person.${body.dataset.person}`] : [];
for (const topic of new Set([...ofProject, ...ofPage, ...ofPerson])) listen(topic);

// --- menus and confirms: one open, Esc closes, a confirm starts on its safe button
const MENUS = "details.confirm, details.menu-of";
const OPEN_MENUS = "details.confirm[open], details.menu-of[open]";

/** @param {HTMLDetailsElement} menu */
function shut(menu, back = true) {
  menu.open = false;
  if (back) $("summary", menu)?.focus();
}
/** @param {HTMLDetailsElement} menu */
function safest(menu) {
  const all = $$(".pop :is(.btn, button, input, textarea, select)", menu);
  return $(".pop [data-safe]", menu) || all.find(b => !b.matches(".solid, .danger, [type=hidden]"));
}
document.addEventListener(
  "toggle",
  event => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.matches(MENUS) || !menu.open) return;
    for (const other of $$(OPEN_MENUS)) if (other !== menu && !other.contains(menu)) shut(other, false);
    if (menu.matches(".confirm")) safest(menu)?.focus();
  },
  true,
);
document.addEventListener("click", event => {
  const safe = within(event, ".confirm [data-safe]");
  if (safe) shut(safe.closest("details"));
  for (const menu of $$(OPEN_MENUS)) if (!menu.contains(event.target)) shut(menu, false);
});
/** `/` goes to the page's own search box, or to the project's search. @param {KeyboardEvent} event */
function openSearch(event) {
  const box = $("main input[type=search]:not([data-find])"),
    place = $("[data-key='/']");
  if (event.defaultPrevented || body.classList.contains("labeling") || (!box && !place)) return;
  event.preventDefault();
  if (box) box.focus();
  else location.assign(place.href);
}
document.addEventListener("keydown", event => {
  if (composing(event)) return;
  const typing = within(event, "input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    const open = $$(OPEN_MENUS).pop();
    if (!open) return;
    shut(open);
    event.preventDefault();
  } else if (event.key === "/" && !typing && !$("dialog[open]") && !event.ctrlKey && !event.metaKey && !event.altKey) {
    openSearch(event);
  } else if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey) {
    const keys = $("#keys");
    if (keys?.open) keys.close();
    else keys?.showModal();
    event.preventDefault();
  }
});
document.addEventListener("click", event => {
  if (within(event, "[data-open-keys]")) $("#keys")?.showModal();
});

// --- theme
function markTheme() {
  const now = document.documentElement.dataset.theme || "";
  for (const b of $$("[data-theme-set]")) b.setAttribute("aria-pressed", String(b.dataset.themeSet === now));
}
/** @param {string} chosen light, dark or nothing: the system decides */
function setTheme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  try {
    if (chosen) localStorage.setItem("theme", chosen);
    else localStorage.removeItem("theme");
  } catch {
    /* this page only */
  }
  markTheme();
  body.dispatchEvent(new CustomEvent("theme:changed"));
}
document.addEventListener("click", event => {
  const button = within(event, "[data-theme-set]");
  if (button) setTheme(button.dataset.themeSet);
});
markTheme();

// --- small things that HTML asks for by attribute
document.addEventListener("click", async event => {
  const copy = within(event, "[data-copy]");
  if (!copy) return;
  await navigator.clipboard?.writeText(copy.dataset.copy);
  toast("ok", gettext("Copied."));
});
document.addEventListener("change", event => {
  within(event, "[data-submits]")?.form?.requestSubmit();
});

// --- on a narrow screen the tab that is open may lie outside of its row
for (const tab of $$(".tabs [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - 24;
}

window.fastloop = { csrf, toast };
