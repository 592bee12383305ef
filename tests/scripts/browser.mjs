// As much of a browser as the modules touch that hold no markup: a clock, timers, events, the console's answers.

import { mock } from "node:test";

/** @type {Map<string, Function[]>} */
const listeners = new Map();
const on = (name, act) => listeners.set(name, [...(listeners.get(name) ?? []), act]);

/** Something happens: tell("online"). */
export const tell = (name, detail = {}) => Promise.all((listeners.get(name) ?? []).map(act => act(detail)));

export const page = {
  hidden: false,
  documentElement: { lang: "en" },
  body: { dataset: {} },
  querySelector: () => null,
  querySelectorAll: () => [],
  addEventListener: on,
};
Object.assign(globalThis, {
  document: page,
  window: globalThis,
  addEventListener: on,
  gettext: sentence => sentence,
  ngettext: (one, many, n) => (n === 1 ? one : many),
  interpolate: (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => String(values[name])),
  fastloop: { csrf: () => "token", toast: () => {} },
});

/** Replies in turn: a status with a body, or "away" for no line. What was asked is kept in `asked`. */
export function answering(...replies) {
  const asked = [];
  globalThis.fetch = async (url, how = {}) => {
    asked.push({
      url,
      body: how.body ? JSON.parse(how.body) : undefined,
      headers: how.headers,
      keepalive: how.keepalive,
    });
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply === "away") throw new TypeError("no line");
    const [status, body] = reply;
    return {
      ok: status < 400,
      status,
      headers: new Headers({ "content-type": body === undefined ? "text/html" : "application/json" }),
      json: async () => body,
    };
  };
  return asked;
}

/** A store as `openStore` gives it, without IndexedDB. */
export function store(...rows) {
  const kept = new Map(rows.map(row => [row.id, row]));
  return {
    kept,
    all: async () => [...kept.values()].map(row => ({ ...row })).sort((a, b) => a.order - b.order),
    get: async id => kept.get(id),
    put: async row => void kept.set(row.id, { ...row }),
    remove: async id => void kept.delete(id),
  };
}

/** Let everything that waits for a promise go on. */
export async function settled() {
  for (let i = 0; i < 50; i += 1) await null;
}

/** A clock of our own: performance.now() is `at.ms`. */
export function clockwork() {
  const at = { ms: 0 };
  mock.method(performance, "now", () => at.ms);
  return at;
}
