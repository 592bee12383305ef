import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { answering, page, settled, tell } from "./browser.mjs";

mock.timers.enable({ apis: ["setInterval"] });
const { queue } = await import("../../static/desk/queue.js");
const URLS = { next: "/next/", renew: "/renew/", release: "/release/" };
const item = (id, more = {}) => ({ id, token: `t${id}`, example: {}, ...more });

function made({ busy = [], elsewhere = [] } = {}) {
  const seen = { replies: [], left: 0 };
  const waiting = queue({
    urls: URLS,
    lane: "review",
    busy: id => busy.includes(id),
    elsewhere: () => new Set(elsewhere),
    onReply: reply => void seen.replies.push(reply),
    onLeft: () => (seen.left += 1),
  });
  return { waiting, seen };
}
beforeEach(() => {
  page.hidden = false;
});

test("examples are taken in order, each once, and a known one takes its new token", () => {
  const { waiting } = made();
  assert.equal(waiting.take([item(1), item(2)]), true);
  assert.equal(waiting.take([item(2, { token: "new" })]), false);
  assert.deepEqual(waiting.ids, [1, 2]);
  assert.equal(waiting.shift().id, 1);
  assert.equal(waiting.first.token, "new");
});

test("what is answered already or in another tab is not taken", () => {
  const { waiting } = made({ busy: [1], elsewhere: [2] });
  waiting.take([item(1), item(2), item(3)]);
  assert.deepEqual(waiting.ids, [3]);
});

test("it wants four behind the one on screen", () => {
  const { waiting } = made();
  assert.equal(waiting.wants(), 5);
  waiting.take([item(1), item(2)]);
  assert.equal(waiting.wants(), 3);
  waiting.take([3, 4, 5, 6].map(id => item(id)));
  assert.equal(waiting.wants(), 0);
});

test("two wishes at once are one request, for more where other tabs hold some, never for more than twenty", async () => {
  const { waiting, seen } = made({ elsewhere: [8, 9] });
  const asked = answering([200, { assignments: [] }]);
  await Promise.all([waiting.fetchMore(), waiting.fetchMore()]);
  assert.deepEqual([asked.length, asked[0].body, seen.replies.length], [1, { count: 7, lane: "review" }, 1]);
  const crowded = made({ elsewhere: Array.from({ length: 40 }, (_, i) => i) });
  await crowded.waiting.fetchMore();
  assert.equal(asked.at(-1).body.count, 20);
});

test("leases are renewed each minute; what is no longer held leaves, but not the one on screen", async () => {
  const { waiting, seen } = made();
  const asked = answering([200, { held: [2] }]);
  waiting.take([item(1), item(2), item(3)]);
  mock.timers.tick(60_000);
  await settled();
  assert.ok(asked.some(each => String(each.body.leases) === "1,t1,2,t2,3,t3"));
  assert.deepEqual([waiting.ids, seen.left], [[1, 2], 1]);
});

test("a hidden tab renews nothing, and without a line everything stays", async () => {
  const { waiting } = made();
  const asked = answering("away");
  waiting.take([item(1), item(2)]);
  page.hidden = true;
  await waiting.renew();
  assert.equal(asked.length, 0);
  page.hidden = false;
  await waiting.renew();
  assert.deepEqual([asked.length, waiting.ids], [1, [1, 2]]);
});

test("an example that comes back stands first, once", () => {
  const { waiting } = made();
  waiting.take([item(1), item(2)]);
  waiting.putBack(item(2, { draft: "x" }));
  assert.deepEqual([waiting.ids, waiting.first.draft], [[2, 1], "x"]);
  waiting.drop(new Set([2]));
  assert.deepEqual(waiting.ids, [1]);
});

test("with the page the examples are given back, by a request that outlives it", async () => {
  const { waiting } = made();
  waiting.take([item(7)]);
  const asked = answering([200, {}]);
  await tell("pagehide");
  const own = asked.find(each => each.body.leases[0][0] === "7");
  assert.deepEqual([own.url, own.keepalive], ["/release/", true]);
});
