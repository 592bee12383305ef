// @ts-check
// The labeling desk. The next examples are here before they are needed; answers leave by the outbox.
// Here its parts are put together; what they do stands in answering, replies, undoing and paint.

import { accept, give, send, submit } from "./answering.js";
import { bindings } from "./bound.js";
import { clock } from "./clock.js";
import { asksWhy, freshState, now } from "./desk.js";
import { $, $$, read } from "../dom.js";
import { extras } from "./extras.js";
import { codesOf } from "./hotkeys.js";
import { keyboard } from "./keys.js";
import { merged } from "./merging.js";
import { outbox } from "./outbox.js";
import { paintAhead, show } from "./paint.js";
import { past } from "./past.js";
import { queue } from "./queue.js";
import { refill, refused, saved, take } from "./replies.js";
import { emptyState, goldNotice, notes, outboxLine, progress } from "./screen.js";
import { session } from "./sign-in.js";
import { openStore } from "./store.js";
import { exclusively, tabs } from "./tabs.js";
import { cancel, leaveEdit, open, undo } from "./undoing.js";
import { say } from "../words.js";

const page = $("#desk"),
  urls = page.dataset,
  lane = urls.lane || "",
  owner = `${urls.person}.${urls.projectId}`;
const state = freshState();

// Before any other listener: an answer is measured from the press of its own key.
for (const sign of ["keydown", "click"]) {
  addEventListener(sign, event => (state.began = event.timeStamp), { capture: true });
}

const kind = /** @type {Kind} */ (await import(urls.answerScript));
const store = await openStore(owner);
const kept = await store.all();

const labels = read("labels"),
  depth = Number(urls.undoDepth);
/** @type {import("./desk.js").Desk} */
const desk = {
  state,
  kind,
  labels,
  taken: codesOf(labels),
  urls,
  lane,
  depth,
  time: clock(),
  gold: goldNotice(),
  note: notes(),
  counted: progress(read("progress"), { alone: urls.alone === "1" }),
  nothing: emptyState({ onAgain: lookAgain }),
  give: value => give(desk, value),
  others: tabs({ owner, holds: () => desk.waiting.ids, onOthers: n => desk.note.others(n), onHolds, onOutbox }),
  box: outbox({
    owner,
    store,
    lane,
    urls,
    alone: exclusively(`fastloop.send.${owner}`),
    want: () => desk.waiting.wants(),
    mayLeave: () => desk.who.same(),
    stillMe: async () => (await desk.who.refused()) === "same",
    tellTabs: detail => desk.others.outboxChanged(detail),
    onSaved: (reply, row) => saved(desk, reply, row),
    onRefused: (row, error) => refused(desk, row, error),
    onChange: outboxChanged,
  }),
  waiting: queue({
    urls,
    lane,
    busy: id => desk.box.holds(id),
    elsewhere: () => desk.others.elsewhere(),
    onReply: reply => take(desk, reply),
    onLeft: () => paintAhead(desk),
  }),
  who: session({ url: urls.signIn, person: urls.person, waiting: () => desk.box.waiting, onBack, onElse }),
  keys: keyboard(() => bindings(desk)),
  memory: past({
    entries: merged(read("past"), kept),
    depth,
    isWaiting: entry => desk.box.has(entry.client_id),
    onOpen: entry => open(desk, entry),
    shown: code => desk.keys.shown(code),
  }),
  around: extras({
    item: () => now(desk),
    reviewing: () => asksWhy(desk),
    onSkip: (reason, why) => submit(desk, { skip_reason: reason }, say(gettext("Skipped: %(why)s"), { why })),
    onKind: answer => submit(desk, answer.body, answer.words),
  }),
};
const line = outboxLine({ ahead: () => desk.waiting.length, onSignIn: () => desk.who.ask() });

// --- what the parts tell each other
function lookAgain() {
  state.empty = null;
  show(desk);
  void refill(desk);
}
/** An older tab has these examples. @param {Set<number | string>} ids */
function onHolds(ids) {
  const { waiting } = desk,
    shown = waiting.first;
  waiting.drop(ids);
  if (!shown || !ids.has(shown.id)) return;
  show(desk);
  void refill(desk);
}
/** @param {{ sent: string }} [detail] */
async function onOutbox(detail) {
  await desk.box.reread();
  if (detail?.sent) desk.memory.paint();
}
/** @param {{ waiting: number, since: Date | null, trouble: Trouble | null }} now */
function outboxChanged(now) {
  line(now);
  if (now.trouble?.code === "old_token" || now.trouble?.status === 401) void desk.who.refused();
}
function onBack() {
  void desk.box.flush();
  if (!desk.waiting.length) void refill(desk);
}
function onElse() {
  state.lost = true;
  leaveEdit(desk);
  desk.waiting.clear();
  show(desk);
}

// --- keys and buttons
page.addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  // a mouse click: the next Space belongs to the suggestion
  if (button && event.detail && !button.closest("#undo-list")) button.blur();
});
$("#undo").addEventListener("click", () => void undo(desk));
$("#send").addEventListener("click", () => send(desk, true));
$("#accept").addEventListener("click", () => accept(desk));
$("#take").addEventListener("click", () => state.mounted?.take?.(now(desk)?.suggestion?.value));
$("#leave-change").addEventListener("click", () => cancel(desk));

/** The keys in the page's own words show the reader's letters. */
function paintKeys() {
  for (const key of $$("[data-code]")) {
    const { code } = key.dataset,
      shift = "free" in key.dataset && desk.taken.has(code);
    key.textContent = `${shift ? "⇧ " : ""}${desk.keys.shown(code)}`;
  }
  state.mounted?.repaint();
  desk.memory.paint();
}
desk.keys.ready().then(paintKeys);

// --- the page's life
addEventListener("pageshow", event => {
  if (!event.persisted) return;
  desk.waiting.clear();
  lookAgain();
});
document.body.addEventListener("live:queue", () => {
  if (!desk.waiting.length) desk.nothing.in(300 * Math.random());
});
document.body.addEventListener("live:reconnected", onBack);
if (matchMedia("(min-width: 1001px)").matches) for (const part of $$(".desk-side details")) part.open = true;
await desk.box.reread();
desk.memory.paint();
if (!store.lasting) {
  const lost = gettext("This browser keeps no data, so answers on their way are lost with this tab. Leave it open.");
  desk.note.tell(lost, true);
}
desk.note.strangers(await store.strangers());
await desk.others.meet();
await refill(desk);
