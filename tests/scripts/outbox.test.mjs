import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { answering, settled, store, tell } from "./browser.mjs";

const { outbox } = await import("../../static/desk/outbox.js");
const URLS = { answer: "/answer/", edit: "/edit/", undo: "/undo/" };

function made(kept = store(), more = {}) {
  const seen = { saved: [], refused: [], last: null };
  const box = outbox({
    owner: "1.2",
    store: kept,
    urls: URLS,
    lane: "",
    want: () => 3,
    alone: work => work(),
    mayLeave: async () => true,
    stillMe: async () => true,
    onSaved: (reply, row) => void seen.saved.push(row.id),
    onRefused: (row, error) => void seen.refused.push([row.id, error.status]),
    onChange: now => (seen.last = now),
    tellTabs: () => {},
    ...more,
  });
  return { box, kept, seen };
}
const answer = (id, more = {}) => ({ client_id: id, assignment: `of ${id}`, token: "t", label: "ham", ...more });
const waiting = (id, order, more = {}) => ({
  id,
  owner: "1.2",
  order,
  kind: "answer",
  tried: false,
  since: 0,
  body: answer(id),
  ...more,
});

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

test("an answer is kept first, sent under its client id with what the desk wants next, and forgotten once it is confirmed", async () => {
  const { box, kept, seen } = made();
  const asked = answering([200, {}]);
  box.answer(answer("a"), {});
  assert.equal(box.waiting, 1);
  await settled();
  assert.deepEqual([asked.length, asked[0].url, asked[0].body.client_id, asked[0].body.want], [1, "/answer/", "a", 3]);
  assert.deepEqual([seen.saved, box.waiting, kept.kept.size], [["a"], 0, 0]);
});

test("without a line it stays, is tried again by itself, and later ones wait behind it", async () => {
  const { box, kept, seen } = made();
  const asked = answering("away");
  box.answer(answer("a"), {});
  await settled();
  box.answer(answer("b"), {});
  await settled();
  assert.deepEqual([box.waiting, kept.kept.size, seen.last.trouble.status], [2, 2, 0]);
  assert.ok(asked.every(each => each.body.client_id === "a"));
  const again = answering([200, {}]);
  mock.timers.tick(1300);
  await settled();
  assert.deepEqual(
    again.map(each => each.body.client_id),
    ["a", "b"],
  );
  assert.deepEqual([seen.saved, seen.last.trouble, seen.last.since], [["a", "b"], null, null]);
});

test("when the browser is online again nobody waits for the timer", async () => {
  const { box, seen } = made();
  answering("away");
  box.answer(answer("a"), {});
  await settled();
  answering([200, {}]);
  await tell("online");
  await settled();
  assert.deepEqual(seen.saved, ["a"]);
});

test("a refusal is final and is told; the next one leaves", async () => {
  const { box, seen } = made();
  answering([422, { error: "No such label." }], [200, {}]);
  box.answer(answer("a"), {});
  box.answer(answer("b"), {});
  await settled();
  assert.deepEqual([seen.refused, seen.saved, box.waiting], [[["a", 422]], ["b"], 0]);
});

for (const status of [401, 403, 408, 429, 500, 503]) {
  test(`${status} says nothing of the answer itself: it is kept`, async () => {
    const { box, seen } = made();
    answering([status, { error: "Later." }]);
    box.answer(answer("a"), {});
    await settled();
    assert.deepEqual([box.waiting, seen.refused, seen.saved, seen.last.trouble.status], [1, [], [], status]);
  });
}

test("nothing leaves while somebody else is signed in", async () => {
  const { box, seen } = made(store(), { mayLeave: async () => false });
  const asked = answering([200, {}]);
  box.answer(answer("a"), {});
  await settled();
  assert.deepEqual([asked.length, box.waiting, seen.last.trouble.code], [0, 1, "somebody_else"]);
});

test("an unknown assignment is no refusal when it is no longer me who asks", async () => {
  const { box, seen } = made(store(), { stillMe: async () => false });
  answering([404, { error: "Not found." }]);
  box.answer(answer("a"), {});
  await settled();
  assert.deepEqual([box.waiting, seen.refused, seen.last.trouble.code], [1, [], "somebody_else"]);
});

test("what an earlier page left leaves first, in the order in which it was given", async () => {
  const { box, seen } = made(store(waiting("second", 2), waiting("first", 1)));
  answering([200, {}]);
  await box.reread();
  assert.equal(box.waiting, 2);
  await box.flush();
  assert.deepEqual(seen.saved, ["first", "second"]);
});

test("an answer that was not tried is changed in place, one that was is edited", async () => {
  const { box, kept } = made(store(waiting("a", 1), waiting("b", 2, { tried: true })), { mayLeave: async () => false });
  answering("away");
  await box.reread();
  assert.equal(await box.edit("a", { value: { labels: [] } }, {}), "a");
  assert.deepEqual(kept.kept.get("a").body, { client_id: "a", assignment: "of a", token: "t", value: { labels: [] } });
  const id = await box.edit("b", { label: "spam" }, {});
  assert.notEqual(id, "b");
  await settled();
  assert.deepEqual([kept.kept.get(id).kind, kept.kept.get(id).body.of], ["edit", "b"]);
});

test("what was not tried is taken back whole; what was tried has an unknown fate; the rest is the console's", async () => {
  const edit = waiting("e", 3, { kind: "edit", body: { client_id: "e", of: "x" } });
  const { box } = made(store(waiting("a", 1), waiting("b", 2, { tried: true }), edit));
  await box.reread();
  assert.deepEqual(await box.takeBack("a"), { fate: "gone", clientId: "a" });
  assert.deepEqual(await box.takeBack("b"), { fate: "tried", clientId: "b" });
  assert.deepEqual(await box.takeBack("e"), { fate: "edit", clientId: "x" });
  assert.deepEqual(await box.takeBack("z"), { fate: "sent", clientId: "z" });
  assert.deepEqual([box.has("a"), box.has("b")], [false, true]);
});

test("after an undo what waits for the example takes its new token, unless it was tried", async () => {
  const { box, kept } = made(store(waiting("a", 1), waiting("b", 2, { tried: true })));
  await box.reread();
  await box.retoken("of a", "new");
  await box.retoken("of b", "new");
  assert.deepEqual([kept.kept.get("a").body.token, kept.kept.get("b").body.token], ["new", "t"]);
});

test("it knows which examples are answered and on their way", async () => {
  const { box } = made(store(waiting("a", 1)));
  await box.reread();
  assert.deepEqual([box.holds("of a"), box.holds("of b")], [true, false]);
});

test("a store without room loses nothing: the answer leaves from memory", async () => {
  const full = { ...store(), put: () => Promise.reject(new Error("no room")) };
  const { box, seen } = made(full);
  answering([200, {}]);
  const clock = mock.method(performance, "now", () => 0);
  box.answer(answer("a"), {});
  await settled();
  assert.deepEqual([seen.saved, box.waiting], [[], 1]);
  clock.mock.mockImplementation(() => 6000);
  await box.flush();
  assert.deepEqual([seen.saved, box.waiting], [["a"], 0]);
  clock.mock.restore();
});
