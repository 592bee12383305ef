// What every page shares: the CSRF header, "look again" over websockets, one open menu, keys, theme, toasts.
(() => {
  "use strict";
  const body = document.body;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // --- requests
  const cookie = name => document.cookie.split("; ").find(c => c.startsWith(`${name}=`))?.split("=")[1];
  const csrf = () => cookie("csrftoken") || $('meta[name="csrf-token"]')?.content || "";

  body.addEventListener("htmx:configRequest", event => { event.detail.headers["X-CSRFToken"] = csrf(); });
  body.addEventListener("htmx:beforeSwap", event => {  // the session ended: the fragment would be a sign-in page
    const at = new URL(event.detail.xhr.responseURL || location.href, location.href).pathname;
    if (at === body.dataset.signIn && location.pathname !== at) {
      event.detail.shouldSwap = false;
      location.assign(`${at}?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  });
  body.addEventListener("htmx:responseError", event => {
    const code = event.detail.xhr.status;
    toast("breach", code >= 500 ? "A fault of ours; it is in the log. What you see may be old. Nothing you sent was half stored."
      : `The console answered ${code}. What you see may be old.`);
  });
  body.addEventListener("htmx:sendError", event => {
    if (event.detail.requestConfig?.verb !== "get") toast("warn", "The console cannot be reached, so this was not sent. Try again when it says Live.");
  });

  // --- toasts
  const STAYS_MS = 7000;
  const ICONS = { ok: "ok", warn: "warn", breach: "breach", running: "right" };

  function toast(kind, words) {
    const box = document.createElement("p");
    box.className = `toast ${kind}`;
    box.innerHTML = `<svg class="i" aria-hidden="true"><use href="#i-${ICONS[kind] || "right"}"/></svg><span></span>`;
    $("span", box).textContent = words;
    $("#messages")?.append(box);
    return box;
  }
  function tend(box) {  // errors stay until closed, everything else goes by itself
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast-x";
    close.setAttribute("aria-label", "Close");
    close.innerHTML = '<svg class="i" aria-hidden="true"><use href="#i-x"/></svg>';
    close.addEventListener("click", () => box.remove());
    box.append(close);
    if (box.classList.contains("breach")) return;
    const leave = () => box.matches(":hover, :focus-within") ? setTimeout(leave, STAYS_MS) : box.remove();
    setTimeout(leave, STAYS_MS);
  }
  const messages = $("#messages");
  if (messages) {
    $$(".toast", messages).forEach(tend);
    new MutationObserver(seen => seen.forEach(m => m.addedNodes.forEach(n => n.classList?.contains("toast") && tend(n))))
      .observe(messages, { childList: true });
  }

  // --- live: a message says what to look at again; several in a row become a first and a last one
  const QUIET_MS = 600;  // longer than the throttle of the fragments, so that the last one is never swallowed
  const resting = new Map();

  function lookAgain(what, id) {
    if (resting.has(what)) { resting.set(what, { id }); return; }
    body.dispatchEvent(new CustomEvent(`live:${what}`, { detail: { id } }));
    resting.set(what, null);
    setTimeout(() => {
      const more = resting.get(what);
      resting.delete(what);
      if (more) lookAgain(what, more.id);
    }, QUIET_MS);
  }

  const lines = new Map();
  function showLine() {
    const all = [...lines.values()], up = all.every(Boolean);
    $$("[data-live]").forEach(mark => { mark.hidden = !all.length || (mark.dataset.live === "on") !== up; });
  }
  function listen(topic, attempt = 0) {
    const [kind, id] = topic.split(".");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/${kind}/${id}/`);
    socket.onmessage = event => {
      const { what, id: subject } = JSON.parse(event.data);
      if (what !== "connected") return lookAgain(what, subject);
      const again = lines.get(topic) === false;
      attempt = 0;
      lines.set(topic, true);
      showLine();
      if (again) body.dispatchEvent(new CustomEvent("live:reconnected"));
    };
    socket.onclose = event => {
      lines.set(topic, false);
      showLine();
      if (event.code === 4403) return;  // not ours to hear
      const wait = Math.min(30_000, 500 * 2 ** attempt) * (0.7 + 0.6 * Math.random());
      setTimeout(() => listen(topic, attempt + 1), wait);
    };
  }
  const topics = [body.dataset.project && `project.${body.dataset.project}`, ...(body.dataset.topic || "").trim().split(/\s+/)];
  new Set(topics.filter(Boolean)).forEach(topic => listen(topic));

  // --- menus and confirms: one open, Esc closes, a confirm starts on its safe button
  const MENUS = "details.confirm, details.menu-of";
  function shut(menu, back = true) {
    menu.open = false;
    if (back) $("summary", menu)?.focus();
  }
  document.addEventListener("toggle", event => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.matches(MENUS) || !menu.open) return;
    $$(MENUS).forEach(other => { if (other !== menu && other.open && !other.contains(menu)) shut(other, false); });
    if (!menu.matches(".confirm")) return;
    const safe = $(".pop [data-safe]", menu) || $$(".pop :is(.btn, button, input, textarea, select)", menu).find(b => !b.matches(".solid, .danger, [type=hidden]"));
    safe?.focus();
  }, true);
  document.addEventListener("click", event => {
    const safe = event.target.closest?.(".confirm [data-safe]");
    if (safe) shut(safe.closest("details"));
    $$(`${MENUS.replaceAll(",", "[open],")}[open]`).forEach(menu => { if (!menu.contains(event.target)) shut(menu, false); });
  });
  document.addEventListener("keydown", event => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      const open = $$(MENUS).filter(m => m.open).pop();
      if (open) { shut(open); event.preventDefault(); }
    } else if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey) {
      const keys = $("#keys");
      if (keys?.open) keys.close(); else keys?.showModal();
      event.preventDefault();
    }
  });
  document.addEventListener("click", event => {
    if (event.target.closest?.("[data-open-keys]")) $("#keys")?.showModal();
  });

  // --- theme
  function markTheme() {
    const now = document.documentElement.dataset.theme || "";
    $$("[data-theme-set]").forEach(b => b.setAttribute("aria-pressed", String(b.dataset.themeSet === now)));
  }
  document.addEventListener("click", event => {
    const chosen = event.target.closest?.("[data-theme-set]")?.dataset.themeSet;
    if (chosen === undefined) return;
    if (chosen) document.documentElement.dataset.theme = chosen; else delete document.documentElement.dataset.theme;
    try { if (chosen) localStorage.setItem("theme", chosen); else localStorage.removeItem("theme"); } catch { /* this page only */ }
    markTheme();
    body.dispatchEvent(new CustomEvent("theme:changed"));
  });
  markTheme();

  // --- small things that HTML asks for by attribute
  document.addEventListener("click", async event => {
    const copy = event.target.closest?.("[data-copy]");
    if (!copy) return;
    await navigator.clipboard?.writeText(copy.dataset.copy);
    toast("ok", "Copied.");
  });
  document.addEventListener("change", event => { event.target.closest?.("[data-submits]")?.form?.requestSubmit(); });

  // --- on a narrow screen the tab that is open may lie outside of its row
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 24;

  window.fastloop = { csrf, toast };
})();
