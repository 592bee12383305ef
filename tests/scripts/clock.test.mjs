import assert from "node:assert/strict";
import test from "node:test";
import { clockwork, page, tell } from "./browser.mjs";

const at = clockwork();
const { clock } = await import("../../static/desk/clock.js");
const time = clock();

test("the time goes on from what was spent before", () => {
  time.start(500);
  at.ms += 1200;
  assert.equal(time.read(), 1700);
});

test("it stops five minutes after the last sign of life and goes on with the next", async () => {
  time.start();
  at.ms += 20 * 60_000;
  assert.equal(time.read(), 5 * 60_000);
  await tell("keydown");
  at.ms += 1000;
  assert.equal(time.read(), 5 * 60_000 + 1000);
});

test("it stands still while the tab is hidden", async () => {
  time.start();
  at.ms += 1000;
  page.hidden = true;
  await tell("visibilitychange");
  at.ms += 60_000;
  page.hidden = false;
  await tell("visibilitychange");
  at.ms += 1000;
  assert.equal(time.read(), 2000);
});
