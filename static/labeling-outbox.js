// Answers on their way: kept in this browser until the console has confirmed each one.
(() => {
  "use strict";
  const WAITS_MS = [1000, 2000, 5000, 10_000, 30_000];
  const KEEP_TRYING = new Set([401, 403, 408, 425, 429]);  // signed out or asked to wait: the answer itself is fine

  /** POST JSON. Rejects with `status` (0: no line) and the console's sentence. */
  async function post(url, body, options = {}) {
    let response;
    try {
      response = await fetch(url, {
        method: "POST", body: JSON.stringify(body), ...options,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": window.fastloop.csrf() },
      });
    } catch {
      throw Object.assign(new Error("The console cannot be reached."), { status: 0 });
    }
    const json = response.headers.get("content-type")?.includes("json") ? await response.json().catch(() => null) : null;
    if (response.ok && json) return json;
    const status = response.ok ? 401 : response.status;  // a page instead of JSON: sign in again
    throw Object.assign(new Error(json?.error || (status === 401 ? "You were signed out." : `The console answered ${status}.`)), { status });
  }

  /** One browser entry an answer, so that two tabs never overwrite each other's. */
  function outbox({ prefix, url, want, onSaved, onDropped, onChange }) {
    const kept = [];
    let sending = null, attempt = 0, timer = 0, since = null, trouble = null;

    for (const key of Object.keys(localStorage).filter(k => k.startsWith(prefix))) {
      try { kept.push(JSON.parse(localStorage.getItem(key))); } catch { localStorage.removeItem(key); }
    }
    kept.sort((a, b) => a.kept_at - b.kept_at);

    const changed = () => onChange({ waiting: kept.length, since, trouble });
    function keep(item) {
      try { localStorage.setItem(prefix + item.client_id, JSON.stringify(item)); } catch { /* storage is full: memory only */ }
    }
    function forget(item) {
      const place = kept.indexOf(item);
      if (place >= 0) kept.splice(place, 1);
      localStorage.removeItem(prefix + item.client_id);
    }

    async function drain() {
      while (kept.length) {
        const item = kept[0];
        try {
          const { kept_at, ...body } = item;
          const reply = await post(url, { ...body, want: want() });
          forget(item);
          attempt = 0; since = null; trouble = null;
          onSaved(reply, item);
        } catch (error) {
          const refused = error.status >= 400 && error.status < 500 && !KEEP_TRYING.has(error.status);
          if (!refused) {
            since ??= new Date();
            trouble = error;
            timer = setTimeout(flush, WAITS_MS[Math.min(attempt++, WAITS_MS.length - 1)] * (0.8 + 0.4 * Math.random()));
            return;
          }
          forget(item);
          onDropped(item, error.message);
        }
        changed();
      }
    }
    function flush() {
      clearTimeout(timer);
      sending ??= drain().finally(() => { sending = null; changed(); if (kept.length && !trouble) flush(); });
      return sending;
    }

    window.addEventListener("online", flush);
    return {
      add(item) {
        const whole = { ...item, kept_at: Date.now() };
        keep(whole);
        kept.push(whole);
        changed();
        if (!trouble) flush();
      },
      /** Take an answer back that has not left yet; false when it has. */
      async takeBack(clientId) {
        const item = kept.find(k => k.client_id === clientId);
        if (item && (kept[0] !== item || !sending)) { forget(item); changed(); return true; }
        await sending;
        const stuck = kept.find(k => k.client_id === clientId);
        if (stuck) { forget(stuck); changed(); }
        return false;
      },
      holds: assignment => kept.some(k => k.assignment === assignment),
      flush,
      get waiting() { return kept.length; },
    };
  }

  window.fastloop = Object.assign(window.fastloop || {}, { post, outbox });
})();
