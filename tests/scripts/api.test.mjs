import assert from "node:assert/strict";
import test from "node:test";
import { answering } from "./browser.mjs";

const { call } = await import("../../static/desk/api.js");
const failing = (...reply) => {
  answering(reply.length === 1 ? reply[0] : reply);
  return call("/x/", {}).then(
    () => assert.fail("it was taken"),
    error => [error.status, error.code, error.message],
  );
};

test("a body is posted as JSON with the token; without one it is asked for", async () => {
  const asked = answering([200, { n: 1 }]);
  assert.deepEqual(await call("/x/", { a: 1 }), { n: 1 });
  assert.deepEqual(await call("/y/"), { n: 1 });
  assert.equal(asked[0].headers["X-CSRFToken"], "token");
  assert.deepEqual(asked[0].body, { a: 1 });
  assert.equal(asked[1].headers["X-CSRFToken"], undefined);
});

test("what went wrong is told by status, code and a sentence", async () => {
  assert.deepEqual(await failing("away"), [0, "offline", "The console cannot be reached."]);
  assert.deepEqual(await failing(409, { code: "lost", error: "It is gone." }), [409, "lost", "It is gone."]);
  assert.deepEqual(await failing(502, {}), [502, undefined, "The console answered 502."]);
});

test("a page instead of JSON is the sign-in, and a bare 403 an old token", async () => {
  assert.deepEqual(await failing(200, undefined), [401, "signed_out", "You were signed out."]);
  assert.deepEqual(await failing(403, undefined), [403, "old_token", "You were signed out."]);
});
