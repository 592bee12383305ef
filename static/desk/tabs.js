// @ts-check
// Other tabs with this desk open for the same person: each keeps to examples of its own, and one at a time sends.

const BEAT_MS = 20_000,
  GONE_MS = 75_000; // a hidden tab's timers run once a minute
const MEET_MS = 60;

/**
 * @typedef {object} Given
 * @property {string} owner
 * @property {() => (number | string)[]} holds the assignment ids of this tab
 * @property {(n: number) => void} onOthers when tabs come or go
 * @property {(ids: Set<number | string>) => void} onHolds when an older tab has ids
 * @property {(detail?: { sent: string }) => void} onOutbox when another tab kept or sent something
 */

/** @param {Given} given */
export function tabs({ owner, holds, onOthers, onHolds, onOutbox }) {
  const me = `${Math.round(performance.timeOrigin)}.${Math.random().toString(36).slice(2)}`;
  /** @type {Map<string, { seen: number, holds: (number | string)[] }>} */
  const others = new Map();
  const line = "BroadcastChannel" in window ? new BroadcastChannel(`fastloop.desk.${owner}`) : null;
  const tell = (/** @type {string} */ what, more = {}) => line?.postMessage({ what, from: me, ...more });
  let shown = 0;

  function count() {
    for (const [id, other] of others) if (Date.now() - other.seen > GONE_MS) others.delete(id);
    if (shown !== others.size) onOthers((shown = others.size));
  }
  if (line) {
    line.onmessage = ({ data }) => {
      if (data.what === "bye") others.delete(data.from);
      else if (data.what === "outbox") return void onOutbox(data.detail);
      else others.set(data.from, { seen: Date.now(), holds: data.holds || [] });
      if (data.what === "hello") tell("here", { holds: holds() });
      if (data.what === "here" && data.from < me) onHolds(new Set(data.holds));
      count();
    };
    setInterval(() => {
      tell("here", { holds: holds() });
      count();
    }, BEAT_MS);
    addEventListener("pagehide", () => tell("bye"));
    addEventListener("pageshow", event => event.persisted && tell("hello", { holds: holds() }));
  }
  return {
    /** Ask who is there, and give them a moment to answer. */
    async meet() {
      if (!line) return;
      tell("hello", { holds: holds() });
      await new Promise(resolve => setTimeout(resolve, MEET_MS));
    },
    changed: () => tell("here", { holds: holds() }),
    /** @param {{ sent: string }} [detail] */
    outboxChanged: detail => tell("outbox", { detail }),
    elsewhere: () => new Set([...others.values()].flatMap(other => other.holds)),
  };
}

/**
 * Run `work` while no other tab runs anything under this name; without Web Locks (plain http), in turn within this tab.
 * @param {string} name
 * @returns {<T>(work: () => Promise<T>) => Promise<T>}
 */
export function exclusively(name) {
  /** @type {Promise<any>} */
  let turn = Promise.resolve();
  if (navigator.locks) return work => /** @type {any} */ (navigator.locks.request(name, work));
  return work => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
}
