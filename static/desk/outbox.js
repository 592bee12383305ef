// Answers, edits and undos on their way. Each is kept until the console has confirmed it, and sent under one client id,
// so that sending it twice stores it once. Order is kept; of several tabs one sends at a time.

import { call } from "./api.js";
import { newId } from "./dom.js";

const WAITS_MS = [1000, 2000, 5000, 10_000, 30_000];
const KEEP_TRYING = new Set([401, 403, 408, 425, 429]);  // signed out or asked to wait: the answer itself is fine

/**
 * `urls` has answer, edit and undo. `want()` is how many examples the reply may bring. `mayLeave()` resolves to false while
 * somebody else is signed in; `stillMe()` asks again when an answer is not known to the console. `onSaved(reply, row)`, `onRefused(row, error)`, `onChange({ waiting, since, trouble })`.
 */
export function outbox({ owner, store, urls, want, lane, alone, mayLeave, stillMe, onSaved, onRefused, onChange, tellTabs }) {
  let rows = [], sending = null, attempt = 0, timer = 0, since = null, trouble = null, last = 0, readings = 0;
  const unkept = new Set();  // ids of rows that the store does not have yet, or has no room for

  const changed = () => onChange({ waiting: rows.length, since, trouble });
  const order = () => (last = Math.max(last + 1e-3, performance.timeOrigin + performance.now()));
  /** What another tab kept or sent; a row of ours that is on its way into the store stays, and of two readings the later counts. */
  async function reread() {
    const reading = ++readings, found = await store.all();
    if (reading !== readings) return;
    rows = [...found, ...rows.filter(row => unkept.has(row.id) && !found.some(kept => kept.id === row.id))];
    changed();
  }

  function add(kind, body, more = {}) {
    const row = { id: kind === "undo" ? newId() : body.client_id, owner, order: order(), kind, tried: false, since: Date.now(), body, ...more };
    rows.push(row);
    changed();
    unkept.add(row.id);
    const kept = store.put(row).then(() => { unkept.delete(row.id); tellTabs(); }, () => {});  // no room left: it still leaves from memory
    if (!trouble) kept.then(flush);
    return row;
  }

  async function first() {
    const kept = await store.all();
    const lost = rows.find(row => !kept.some(k => k.id === row.id) && !row.gone && performance.timeOrigin + performance.now() - row.order > 5000);
    return kept[0] ?? lost;
  }

  /** Send the oldest; true when there may be another one. */
  async function sendFirst() {
    const row = await first();
    if (!row) return false;
    if (!(await mayLeave())) throw Object.assign(new Error(""), { status: 403, code: "somebody_else" });
    if (!row.tried) await store.put({ ...row, tried: true }).catch(() => {});
    const mine = rows.find(r => r.id === row.id);
    if (mine) mine.tried = true;
    let reply = null, refusal = null;
    try {
      const more = row.kind === "answer" ? { want: want(), lane } : {};
      reply = await call(urls[row.kind], { ...row.body, ...more });
    } catch (error) {
      const final = error.status >= 400 && error.status < 500 && !KEEP_TRYING.has(error.status);
      if (!final) throw error;
      if (error.status === 404 && !(await stillMe())) throw Object.assign(error, { code: "somebody_else" });
      refusal = error;
    }
    await forget(row);
    attempt = 0; since = null; trouble = null;
    if (refusal) await onRefused(row, refusal);
    else await onSaved(reply, row);
    tellTabs({ sent: row.id });
    return true;
  }

  async function forget(row) {
    const mine = rows.find(r => r.id === row.id);
    if (mine) mine.gone = true;
    rows = rows.filter(r => r.id !== row.id);
    unkept.delete(row.id);
    await store.remove(row.id).catch(() => {});
  }

  async function drain() {
    try {
      while (await alone(sendFirst)) changed();
    } catch (error) {
      since ??= new Date();
      trouble = error;
      timer = setTimeout(flush, WAITS_MS[Math.min(attempt++, WAITS_MS.length - 1)] * (0.8 + 0.4 * Math.random()));
    }
  }
  function flush() {
    clearTimeout(timer);
    sending ??= drain().finally(() => { sending = null; changed(); });
    return sending;
  }
  addEventListener("online", flush);

  return {
    reread, flush,
    answer: (body, more) => add("answer", body, more),
    undo: (clientId, more) => add("undo", { client_id: clientId }, more),

    /** Replace an answer: in place while it has not been tried, else by an edit. Returns the client id it now has. */
    async edit(clientId, said, more) {
      const changedInPlace = await alone(async () => {
        const row = await store.get(clientId);
        if (!row || row.tried) return false;
        const { label, value, skip_reason, ...rest } = row.body;
        const next = { ...row, ...more, body: { ...rest, ...said } };
        rows = rows.map(r => (r.id === clientId ? next : r));
        await store.put(next);
        return true;
      });
      if (changedInPlace) return clientId;
      return add("edit", { client_id: newId(), of: clientId, ...said }, more).id;
    },

    /** Take back what has not been tried: "gone"; else "tried" while its fate is unknown, "sent" when the console has it. */
    takeBack: clientId => alone(async () => {
      const row = await store.get(clientId);
      if (!row) return { fate: "sent", clientId };
      if (row.tried) return { fate: "tried", clientId };
      await forget(row);
      changed();
      return row.kind === "edit" ? { fate: "edit", clientId: row.body.of } : { fate: "gone", clientId };
    }),

    /** After an undo the example has a new token: what waits for it takes that one. */
    async retoken(assignment, token) {
      for (const row of rows.filter(r => r.body.assignment === assignment && r.body.token !== token && !r.tried)) {
        row.body.token = token;
        await store.put(row).catch(() => {});
      }
    },
    holds: assignment => rows.some(row => row.kind === "answer" && row.body.assignment === assignment),
    has: clientId => rows.some(row => row.id === clientId),
    get waiting() { return rows.length; },
    get kept() { return rows.slice(); },
    get trouble() { return trouble; },
  };
}
