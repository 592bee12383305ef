// @ts-check
// What the console says: new examples, what became of an answer, and that it cannot be reached.

import { call } from "./api.js";
import { now } from "./desk.js";
import { merged } from "./merging.js";
import { paintAhead, show } from "./paint.js";
import { noneCame } from "./screen.js";
import { say } from "../words.js";

/** @typedef {import("./desk.js").Desk} Desk */

const AGAIN_MS = 5000; // after a fault the console is asked again by itself

/** @param {Desk} desk @param {{ assignments?: Item[], empty?: Empty, progress?: Progress }} reply */
export function take(desk, reply) {
  const { state, box, waiting } = desk,
    assignments = reply.assignments ?? [];
  const wasEmpty = !now(desk);
  for (const given of assignments) box.retoken(given.id, given.token);
  if (waiting.take(assignments)) desk.others.changed();
  state.empty = reply.empty ?? (waiting.length ? null : state.empty);
  desk.counted.told(reply.progress);
  if (wasEmpty || !waiting.length) show(desk);
  else paintAhead(desk);
}

/** @param {Desk} desk */
export async function refill(desk) {
  if (desk.state.lost) return;
  try {
    await desk.box.flush();
    await desk.waiting.fetchMore();
    if (!desk.waiting.length) show(desk);
  } catch (error) {
    trouble(desk, /** @type {Trouble} */ (error));
  }
}

/** @param {Desk} desk @param {Trouble} error */
function trouble(desk, error) {
  const signedOut = error.status === 401;
  if (signedOut || error.code === "old_token") desk.who.refused();
  if (desk.waiting.length) {
    if (!signedOut) window.fastloop.toast("warn", error.message);
    return;
  }
  desk.state.empty = noneCame(error, desk.box.waiting);
  show(desk);
  if (!signedOut) desk.nothing.in(AGAIN_MS);
}

/** @param {Desk} desk @param {any} reply @param {Row} row */
export function saved(desk, reply, row) {
  const { box, counted, gold, memory, waiting } = desk;
  if (row.kind === "undo") {
    waiting.take([reply.assignment]);
    box.retoken(reply.assignment.id, reply.assignment.token);
    counted.told(reply.progress);
    return;
  }
  const verdict = reply.saved?.gold;
  if (verdict && !verdict.right) gold.show({ entry: row.entry, gold: verdict });
  if (row.kind === "answer") take(desk, reply);
  else counted.told(reply.progress);
  memory.paint();
}

/** @param {Desk} desk @param {Row} row @param {Trouble} error */
export async function refused(desk, row, error) {
  const { box, memory, urls, waiting } = desk;
  if (row.kind === "undo") {
    // undone already: its token may be new
    await call(urls.next, { count: 0, lane: desk.lane }).then(
      reply => take(desk, reply),
      () => {},
    );
    return;
  }
  const words = { answer: row.entry?.answer ?? "", why: error.message };
  memory.remove(row.id);
  window.fastloop.toast("breach", say(gettext("Your answer “%(answer)s” was not taken. %(why)s"), words));
  if (row.kind === "edit") {
    await call(urls.past).then(
      found => memory.replace(merged(found.past, box.kept)),
      () => {},
    );
  } else if (error.status === 422 && row.entry?.was) {
    waiting.putBack({ ...row.entry.was, draft: row.entry.value });
    if (!desk.state.edited) show(desk);
  }
  memory.paint();
}
