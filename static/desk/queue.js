// @ts-check
// The examples that are here before they are needed: fetched ahead, kept alive while somebody looks, given back at the end.

import { call } from "./api.js";

const AHEAD = 4; // examples behind the one on screen
const MOST = 20; // the console hands out no more at once
const RENEW_MS = 60_000;

/**
 * @param {object} given
 * @param {{ next: string, renew: string, release: string }} given.urls
 * @param {string} given.lane
 * @param {(id: number | string) => boolean} given.busy whether an assignment is answered and on its way
 * @param {() => Set<number | string>} given.elsewhere what other tabs hold
 * @param {(reply: any) => void} given.onReply
 * @param {() => void} given.onLeft when leases ran out
 */
export function queue({ urls, lane, busy, elsewhere, onReply, onLeft }) {
  /** @type {Map<string, HTMLImageElement>} */
  const images = new Map();
  /** @type {Item[]} */
  let items = [];
  /** @type {Promise<void> | null} */
  let fetching = null;

  /** @param {ExampleShown} example */
  function prefetch({ image_url: url }) {
    if (!url || images.has(url)) return;
    const image = new Image();
    image.decoding = "sync";
    image.src = url;
    images.set(url, image);
    image.decode?.().catch(() => {});
    if (images.size > MOST) images.delete([...images.keys()][0]);
  }

  /** Take over what a reply brought; true when something new is here. @param {Item[]} assignments */
  function take(assignments) {
    const taken = elsewhere();
    let fresh = 0;
    for (const given of assignments) {
      const here = items.find(item => item.id === given.id);
      if (here) {
        here.token = given.token;
        continue;
      }
      if (busy(given.id) || taken.has(given.id)) continue;
      items.push(given);
      fresh += 1;
    }
    items.forEach(item => prefetch(item.example));
    return fresh > 0;
  }

  function fetchMore() {
    const count = Math.min(MOST, AHEAD + 1 + elsewhere().size); // the console gives back first what other tabs hold
    fetching ??= call(urls.next, { count, lane })
      .then(reply => onReply(reply))
      .finally(() => {
        fetching = null;
      });
    return fetching;
  }

  const leases = () => items.map(item => [String(item.id), item.token]);
  async function renew() {
    if (document.hidden || !items.length) return;
    const asked = new Set(items.map(item => item.id));
    const { held } = await call(urls.renew, { leases: leases() }).catch(() => ({ held: null }));
    if (!held) return;
    // the one on screen counts when late
    items = items.filter((item, i) => i === 0 || !asked.has(item.id) || held.includes(item.id));
    onLeft();
  }
  setInterval(renew, RENEW_MS);
  document.addEventListener("visibilitychange", renew);
  addEventListener("pagehide", () => {
    if (items.length) call(urls.release, { leases: leases() }, { keepalive: true }).catch(() => {});
  });

  return {
    take,
    fetchMore,
    renew,
    /** @param {string} url */
    image: url => images.get(url),
    wants: () => Math.max(0, AHEAD + 1 - items.length),
    shift: () => items.shift(),
    /** @param {Item} item */
    putBack(item) {
      items = [item, ...items.filter(other => other.id !== item.id)];
    },
    /** @param {Set<number | string>} ids */
    drop(ids) {
      items = items.filter(item => !ids.has(item.id));
    },
    clear() {
      items = [];
    },
    /** @returns {Item | undefined} */
    get first() {
      return items[0];
    },
    get length() {
      return items.length;
    },
    get ids() {
      return items.map(item => item.id);
    },
  };
}
