// @ts-check
// Answers, edits and undos on their way. Each is kept until the console has confirmed it, and sent under one client id,
// so that sending it twice stores it once. Order is kept; of several tabs one sends at a time.

import { call, trouble as troubleOf } from "./api.js";
import { newId } from "../dom.js";

const WAITS_MS = [1000, 2000, 5000, 10_000, 30_000];
const KEEP_TRYING = new Set([401, 403, 408, 425, 429]); // signed out or asked to wait: the answer itself is fine
const LOST_MS = 5000; // a row that the store still does not have by then is sent from memory

/**
 * @typedef {object} Given
 * @property {string} owner
 * @property {import("./store.js").Store} store
 * @property {Record<"answer" | "edit" | "undo", string>} urls
 * @property {() => number} want how many examples the reply may bring
 * @property {string} lane
 * @property {<T>(work: () => Promise<T>) => Promise<T>} alone
 * @property {() => Promise<boolean>} mayLeave false while somebody else is signed in
 * @property {() => Promise<boolean>} stillMe asked again when an answer is not known to the console
 * @property {(reply: any, row: Row) => void | Promise<void>} onSaved
 * @property {(row: Row, error: Trouble) => void | Promise<void>} onRefused
 * @property {(state: { waiting: number, since: Date | null, trouble: Trouble | null }) => void} onChange
 * @property {(detail?: { sent: string }) => void} tellTabs
 */

/** @param {Given} given */
export function outbox({
  owner,
  store,
  urls,
  want,
  lane,
  alone,
  mayLeave,
  stillMe,
  onSaved,
  onRefused,
  onChange,
  tellTabs,
}) {
  /** @type {Row[]} */
  let rows = [];
  /** @type {Promise<void> | null} */
  let sending = null;
  /** @type {Date | null} */
  let since = null;
  /** @type {Trouble | null} */
  let trouble = null;
  let attempt = 0,
    last = 0,
    readings = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** Ids of rows that the store does not have yet, or has no room for. @type {Set<string>} */
  const unkept = new Set();

  const changed = () => onChange({ waiting: rows.length, since, trouble });
  const moment = () => performance.timeOrigin + performance.now();
  const order = () => (last = Math.max(last + 1e-3, moment()));

  /** What another tab kept or sent; a row of ours that is on its way into the store stays, and of two readings the later counts. */
  async function reread() {
    const reading = ++readings,
      found = await store.all();
    if (reading !== readings) return;
    rows = [...found, ...rows.filter(row => unkept.has(row.id) && !found.some(kept => kept.id === row.id))];
    changed();
  }

  /** @param {Row["kind"]} kind @param {any} body @param {{ entry?: Entry }} [more] @returns {Row} */
  function add(kind, body, more = {}) {
    const id = kind === "undo" ? newId() : body.client_id;
    const row = { id, owner, order: order(), kind, tried: false, since: Date.now(), body, ...more };
    rows.push(row);
    changed();
    unkept.add(row.id);
    const kept = store.put(row).then(
      () => {
        unkept.delete(row.id);
        tellTabs();
      },
      () => {}, // no room left: it still leaves from memory
    );
    if (!trouble) kept.then(flush);
    return row;
  }

  async function first() {
    const kept = await store.all();
    const isLost = (/** @type {Row} */ row) => !kept.some(k => k.id === row.id) && moment() - row.order > LOST_MS;
    return kept[0] ?? rows.find(row => !row.gone && isLost(row));
  }

  /** Send the oldest; true when there may be another one. */
  async function sendFirst() {
    const row = await first();
    if (!row) return false;
    if (!(await mayLeave())) throw troubleOf(403, "somebody_else", "");
    if (!row.tried) await store.put({ ...row, tried: true }).catch(() => {});
    const mine = rows.find(r => r.id === row.id);
    if (mine) mine.tried = true;
    const { reply, refusal } = await sent(row);
    await forget(row);
    attempt = 0;
    since = null;
    trouble = null;
    if (refusal) await onRefused(row, refusal);
    else await onSaved(reply, row);
    tellTabs({ sent: row.id });
    return true;
  }

  /** What the console said of a row; what it could not say is thrown. @param {Row} row @returns {Promise<{ reply?: any, refusal?: Trouble }>} */
  async function sent(row) {
    const more = row.kind === "answer" ? { want: want(), lane } : {};
    try {
      return { reply: await call(urls[row.kind], { ...row.body, ...more }) };
    } catch (thrown) {
      const error = /** @type {Trouble} */ (thrown);
      const final = error.status >= 400 && error.status < 500 && !KEEP_TRYING.has(error.status);
      if (!final) throw error;
      if (error.status === 404 && !(await stillMe())) throw Object.assign(error, { code: "somebody_else" });
      return { refusal: error };
    }
  }

  /** @param {Row} row */
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
      trouble = /** @type {Trouble} */ (error);
      const wait = WAITS_MS[Math.min(attempt++, WAITS_MS.length - 1)];
      timer = setTimeout(flush, wait * (0.8 + 0.4 * Math.random()));
    }
  }
  function flush() {
    clearTimeout(timer);
    sending ??= drain().finally(() => {
      sending = null;
      changed();
    });
    return sending;
  }
  addEventListener("online", flush);

  return {
    reread,
    flush,
    /** @param {any} body @param {{ entry: Entry }} more */
    answer: (body, more) => add("answer", body, more),
    /** @param {string} clientId */
    undo: clientId => add("undo", { client_id: clientId }),

    /**
     * Replace an answer: in place while it has not been tried, else by an edit. Returns the client id it now has.
     * @param {string} clientId @param {any} said @param {{ entry: Entry }} more
     */
    async edit(clientId, said, more) {
      const changedInPlace = await alone(async () => {
        const row = await store.get(clientId);
        if (!row || row.tried) return false;
        const { label: _label, value: _value, skip_reason: _reason, ...rest } = row.body;
        const next = { ...row, ...more, body: { ...rest, ...said } };
        rows = rows.map(r => (r.id === clientId ? next : r));
        await store.put(next);
        return true;
      });
      if (changedInPlace) return clientId;
      return add("edit", { client_id: newId(), of: clientId, ...said }, more).id;
    },

    /**
     * Take back what has not been tried: "gone"; else "tried" while its fate is unknown, "sent" when the console has it.
     * @param {string} clientId
     * @returns {Promise<{ fate: "gone" | "edit" | "tried" | "sent", clientId: string }>}
     */
    takeBack: clientId =>
      alone(async () => {
        const row = await store.get(clientId);
        if (!row) return { fate: "sent", clientId };
        if (row.tried) return { fate: "tried", clientId };
        await forget(row);
        changed();
        return row.kind === "edit" ? { fate: "edit", clientId: row.body.of } : { fate: "gone", clientId };
      }),

    /** After an undo the example has a new token: what waits for it takes that one. @param {number | string} assignment @param {string} token */
    async retoken(assignment, token) {
      const waiting = rows.filter(r => r.body.assignment === assignment && r.body.token !== token && !r.tried);
      for (const row of waiting) {
        row.body.token = token;
        await store.put(row).catch(() => {});
      }
    },
    /** @param {number | string} assignment */
    holds: assignment => rows.some(row => row.kind === "answer" && row.body.assignment === assignment),
    /** @param {string} clientId */
    has: clientId => rows.some(row => row.id === clientId),
    get waiting() {
      return rows.length;
    },
    get kept() {
      return rows.slice();
    },
  };
}
