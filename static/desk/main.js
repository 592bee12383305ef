// The labeling desk: paint, answer, undo, change. The next examples are here before they are needed; answers leave by the outbox.

import { call } from "./api.js";
import { bound } from "./bound.js";
import { clock } from "./clock.js";
import { $, $$, newId, speak } from "./dom.js";
import { afterPaint, fill } from "./example.js";
import { blank, extras } from "./extras.js";
import { paintHead } from "./head.js";
import { keyboard } from "./keys.js";
import { outbox } from "./outbox.js";
import { merged, past } from "./past.js";
import { codesOf } from "./picks.js";
import { queue } from "./queue.js";
import { emptyState, goldNotice, noneCame, notes, outboxLine, progress } from "./screen.js";
import { session } from "./sign-in.js";
import { openStore } from "./store.js";
import { exclusively, tabs } from "./tabs.js";
import { many, read, say } from "./words.js";

const desk = $("#desk"), urls = desk.dataset, lane = urls.lane || "", depth = Number(urls.undoDepth);
const labels = read("labels"), owner = `${urls.person}.${urls.projectId}`;
const kind = await import(urls.answerScript);
const store = await openStore(owner);

let edited = null, mounted = null, empty = null, busy = false, sure = null, began = 0, paintMs = null, lost = false;
const now = () => edited?.item ?? waiting.first;
const reviewing = () => now()?.lane === "review";
const taken = codesOf(labels);
const free = code => ({ shift: taken.has(code) });  // a label has its key; the desk’s own moves to Shift

// Before any other listener: an answer is measured from the press of its own key.
for (const sign of ["keydown", "click"]) addEventListener(sign, event => { began = event.timeStamp; }, { capture: true });

// --- the parts
const time = clock(), gold = goldNotice(), note = notes();
const counted = progress(read("progress"), { alone: urls.alone === "1" });
const line = outboxLine({ ahead: () => waiting?.length, onSignIn: () => who.ask() });
const others = tabs({
  owner,
  holds: () => waiting?.ids ?? [],
  onOthers: note.others,
  onHolds(ids) { if (ids.has(waiting.first?.id)) { waiting.drop(ids); show(); refill(); } else waiting.drop(ids); },
  async onOutbox(detail) { await box.reread(); if (detail?.sent) memory.paint(); },
});
const box = outbox({
  owner, store, lane, urls,
  alone: exclusively(`fastloop.send.${owner}`),
  want: () => waiting.wants(),
  mayLeave: () => who.same(),
  stillMe: async () => (await who.refused()) === "same",
  tellTabs: others.outboxChanged,
  onSaved, onRefused,
  onChange(state) {
    line(state);
    if (state.trouble?.code === "old_token" || state.trouble?.status === 401) who.refused();
  },
});
const waiting = queue({ urls, lane, busy: box.holds, elsewhere: others.elsewhere, onReply: take, onLeft: paintAhead });
const who = session({
  url: urls.signIn, person: urls.person, waiting: () => box.waiting,
  onBack() { box.flush(); if (!waiting.length) refill(); },
  onElse() { lost = true; leaveEdit(); waiting.clear(); show(); },
});
const keys = keyboard(() => bindings());
const memory = past({ entries: merged(read("past"), await store.all()), depth, isWaiting: entry => box.has(entry.client_id), onOpen: open, shown: keys.shown });
const around = extras({ item: now, reviewing, onSkip: (reason, words) => submit({ skip_reason: reason }, say("skipped", { why: words })), onKind: said => submit(said.body, said.words) });
const nothing = emptyState({ onAgain: () => { empty = null; show(); refill(); } });

// --- what comes
function take(reply) {
  const wasEmpty = !now();
  for (const given of reply.assignments ?? []) box.retoken(given.id, given.token);
  const fresh = waiting.take(reply.assignments ?? []);
  if (fresh) others.changed();
  empty = reply.empty ?? (waiting.length ? null : empty);
  counted.told(reply.progress);
  if (wasEmpty || !waiting.length) show();
  else paintAhead();
}
async function refill() {
  if (lost) return;
  try {
    await box.flush();
    await waiting.fetchMore();
    if (!waiting.length) show();
  } catch (error) { trouble(error); }
}
function trouble(error) {
  if (error.status === 401 || error.code === "old_token") who.refused();
  if (waiting.length) return error.status === 401 ? undefined : window.fastloop.toast("warn", error.message);
  empty = noneCame(error, box.waiting);
  show();
  if (error.status !== 401) nothing.in(5000);
}

// --- what leaves
function submit(said, words) {
  const item = now();
  if (!item || busy) return;
  if (reviewing() && !said.skip_reason && !item.extras.error_kind) return around.ask({ body: said, words });
  const active = time.read();
  const entry = {
    summary: item.example.summary, answer: words, at: new Date().toISOString(), guidelines: item.guidelines, lane: item.lane,
    value: said.value ?? (said.label !== undefined ? { label: said.label } : null), skip_reason: said.skip_reason || "",
    comment: item.extras.comment, flagged: item.extras.flagged, retired: [], example: item.example,
  };
  const body = { ...said, ...item.extras, active_ms: active };
  note.quiet();
  if (edited) return change(entry, body);
  waiting.shift();
  const { draft, ...was } = item;
  const from = began, sent = { client_id: newId(), assignment: item.id, token: item.token, shown_at: item.shown_at, ...body };
  Object.assign(entry, { client_id: sent.client_id, was: { ...was, spent: active } });
  show();
  afterPaint(() => measure(from));
  box.answer(sent, { entry });
  memory.add(entry);
  memory.paint();
  counted.answered(active, !said.skip_reason && item.lane !== "review");
  speak(say("answered_next", { answer: words, next: now()?.example.summary ?? "" }));
  if (!waiting.length) refill();
  return undefined;
}
function measure(from) {
  if (!now()) return;
  performance.measure("desk:next-painted", { start: from, end: performance.now() });
  paintMs = performance.now() - from;
  paintAhead();
}
async function change(entry, body) {
  const old = edited.entry;
  leaveEdit();
  show();
  entry.client_id = await box.edit(old.client_id, body, { entry });
  memory.remove(old.client_id);
  memory.add({ ...entry, was: old.was });
  memory.paint();
  speak(say("changed", { answer: entry.answer }));
}
const said = value => (kind.atOnce ? { label: value.label } : { value });
function give(value) {
  const gone = kind.labelsIn(value).filter(name => !labels.some(l => l.name === name));
  if (gone.length) return tell(say("retired_now", { labels: gone.join(", ") }), true);
  return submit(said(value), kind.words(value));
}
/** Send what is drawn or ticked; nothing at all is said on purpose, by its button or by Enter twice. */
function send(byButton = false) {
  if (!mounted || kind.atOnce) return;
  const refusal = mounted.refusal?.(), value = mounted.value();
  if (refusal) return tell(refusal, true);
  if (!kind.labelsIn(value).length && !byButton && sure !== now()) { sure = now(); return tell(kind.sureWords(), true); }
  return give(value);
}
function accept() {
  const value = now()?.suggestion?.value;
  if (!value) return false;
  if (!kind.atOnce && mounted.changed()) return mounted.take(value);
  return give(value);
}
const tell = (sentence, refused) => { note.tell(sentence, refused); };

// --- what the console says of them
function onSaved(reply, row) {
  if (row.kind === "undo") { waiting.take([reply.assignment]); box.retoken(reply.assignment.id, reply.assignment.token); counted.told(reply.progress); return; }
  const verdict = reply.saved?.gold;
  if (verdict && !verdict.right) gold.show({ summary: row.entry?.summary, answer: row.entry?.answer, gold: verdict });
  if (row.kind === "answer") take(reply);
  else counted.told(reply.progress);
  memory.paint();
}
async function onRefused(row, error) {
  if (row.kind === "undo") return call(urls.next, { count: 0, lane }).then(take, () => {});  // undone already: its token may be new
  memory.remove(row.id);
  window.fastloop.toast("breach", say("not_taken", { answer: row.entry?.answer ?? "", why: error.message }));
  if (row.kind === "edit") await call(urls.past).then(found => memory.replace(merged(found.past, box.kept)), () => {});
  else if (error.status === 422 && row.entry?.was) { waiting.putBack({ ...row.entry.was, draft: row.entry.value }); if (!edited) show(); }
  memory.paint();
}

// --- undo and change
async function undo() {
  const last = memory.last;
  if (!last || busy || edited) return;
  busy = true;
  try {
    const back = await takeBack(last);
    memory.remove(last.client_id);
    if (back) { stow(); waiting.putBack(back); empty = null; others.changed(); show(); }
    speak(say("undone", { answer: last.answer }));
  } catch (error) {
    if (error.status === 409) memory.remove(last.client_id);
    window.fastloop.toast("warn", error.status ? error.message : say("cannot_undo_now"));
  } finally { busy = false; memory.paint(); }
}
async function takeBack(entry) {
  const { fate, clientId } = await box.takeBack(entry.client_id);
  if (fate === "gone") return entry.was;
  if (fate === "edit") return takeBack({ ...entry, client_id: clientId });
  if (fate === "tried" && entry.was) { box.undo(clientId); return entry.was; }
  const reply = await call(urls.undo, { client_id: clientId }).catch(error => {
    if (error.status === 401) who.refused();
    throw error;
  });
  counted.told(reply.progress);
  return { ...reply.assignment, spent: entry.was?.spent };
}
function open(entry) {
  stow();
  const { client_id: id, example, lane: from, value, guidelines, comment, flagged } = entry;
  edited = { entry, item: { id: `change-${id}`, example, lane: from, guidelines, value, suggestion: null, nearest: [], votes: entry.was?.votes ?? [],
    extras: { comment: comment || "", flagged: Boolean(flagged), error_kind: "" } } };
  show();
  $("#example").focus({ preventScroll: true });
}
function leaveEdit() { edited = null; around.close(); }
/** What is half done on the example that leaves the screen, for when it comes back. */
function stow() {
  if (edited || !waiting.first || !mounted) return;
  waiting.first.spent = time.read();
  if (!kind.atOnce && mounted.changed()) waiting.first.draft = mounted.value();
}

// --- paint
function show() {
  const item = now();
  document.body.classList.toggle("is-changing", Boolean(edited));
  $("#task").hidden = !item;
  $("#send").hidden = !item || kind.atOnce;
  if (!item) paintNothing();
  else {
    nothing.hide();
    if ($("#example").dataset.shown !== `${item.id}`) paintItem(item);
  }
  around.paint();
  paintAhead();
}
function paintNothing() {
  mounted?.unmount?.();
  mounted = null;
  $("#example").dataset.shown = "";
  if (lost) return nothing.paint({ title: say("somebody_else_title"), sentence: `${say("somebody_else")} ${box.waiting ? many("kept_here", box.waiting) : ""}`, next: say("somebody_else_next") }, 0);
  nothing.paint(empty, box.waiting);
  if (empty?.frees_at) nothing.at(empty.frees_at);
  return undefined;
}
function paintItem(item) {
  const stage = $("#example"), byKeyboard = stage.contains(document.activeElement) || $("#answer").contains(document.activeElement);
  mounted?.unmount?.();
  item.extras ??= blank();
  item.shown_at ??= new Date().toISOString();
  stage.replaceChildren(fill($("#shape").content.cloneNode(true), item.example, waiting.image));
  stage.dataset.shown = item.id;
  stage.dataset.external = item.example.external_id;
  mounted = kind.mount($("#answer"), {
    labels, stage, tell, free, shown: keys.shown, nearest: item.nearest, example: item.example, suggestion: item.suggestion,
    value: item.draft ?? item.value ?? undefined, onChange: changed,
    answer(value, event) { if (event?.detail) event.target.blur(); give(value); },
  });
  around.close();
  sure = null;
  time.start(item.spent);
  paintHead(item, { kind, edited, current: Number(urls.guidelines) || null, onTake: value => mounted.take(value) });
  changed();
  if (byKeyboard) stage.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}
function changed() {
  sure = null;
  if (!kind.atOnce && mounted) $("#send-words").textContent = kind.sendWords(mounted.value());
}
function paintAhead() {
  const left = Math.max(0, waiting.length - 1);
  $("#ahead").textContent = waiting.length ? [paintMs === null ? "" : say("painted_in", { ms: Math.round(paintMs) }), many("ahead", left)].filter(Boolean).join(", ") : "";
}

// --- keys and buttons
const bindings = () => bound({ item: now(), kind, mounted, edited, around, gold, memory, depth, free, accept, cancel, send, undo });
function cancel() { leaveEdit(); show(); }
desk.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (button && event.detail && !button.closest("#undo-list")) button.blur();  // a mouse click: the next Space belongs to the suggestion
});
const buttons = { undo, send: () => send(true), accept, take: () => mounted.take(now().suggestion.value), "leave-change": cancel };
for (const [id, act] of Object.entries(buttons)) $(`#${id}`).addEventListener("click", act);

// --- the page's life
addEventListener("pageshow", event => { if (event.persisted) { waiting.clear(); empty = null; show(); refill(); } });
document.body.addEventListener("live:queue", () => { if (!waiting.length) nothing.in(300 * Math.random()); });
document.body.addEventListener("live:reconnected", () => { box.flush(); if (!waiting.length) refill(); });
keys.ready.then(() => {
  $$("[data-code]").forEach(key => { key.textContent = `${"free" in key.dataset && taken.has(key.dataset.code) ? "⇧ " : ""}${keys.shown(key.dataset.code)}`; });
  mounted?.repaint?.();
  memory.paint();
});
if (matchMedia("(min-width: 1001px)").matches) $("#guidelines").open = true;
await box.reread();
memory.paint();
if (!store.lasting) tell(say("nothing_lasts"), true);
note.strangers(await store.strangers());
await others.meet();
await refill();
