// @ts-check
// An answer leaves: it is kept, the next example is painted, and only then it is sent.

import { asksWhy, now } from "./desk.js";
import { newId, speak } from "../dom.js";
import { afterPaint } from "./example.js";
import { paintAhead, show } from "./paint.js";
import { refill } from "./replies.js";
import { leaveEdit } from "./undoing.js";
import { say } from "../words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {Desk} desk @param {any} said the answer's part of the body @param {string} words what it is called */
export function submit(desk, said, words) {
  const { state } = desk,
    item = now(desk);
  if (!item || state.busy) return;
  if (asksWhy(desk) && !said.skip_reason && !item.extras.error_kind) {
    desk.around.ask({ body: said, words });
    return;
  }
  const active = desk.time.read();
  const entry = entryOf(item, said, words);
  const body = { ...said, ...item.extras, active_ms: active };
  desk.note.quiet();
  if (state.edited) void change(desk, state.edited.entry, entry, body);
  else leave(desk, item, entry, body);
}

/** @param {Item} item @param {any} said @param {string} words @returns {Entry} */
const entryOf = (item, said, words) => ({
  client_id: newId(),
  summary: item.example.summary,
  answer: words,
  at: new Date().toISOString(),
  guidelines: item.guidelines,
  lane: item.lane,
  value: said.value ?? (said.label !== undefined ? { label: said.label } : null),
  skip_reason: said.skip_reason || "",
  comment: item.extras.comment,
  flagged: item.extras.flagged,
  retired: [],
  example: item.example,
});

/** @param {Desk} desk @param {Item} item @param {Entry} entry @param {any} body */
function leave(desk, item, entry, body) {
  const { state, memory, waiting } = desk,
    from = state.began;
  const { draft: _draft, ...was } = item;
  entry.was = { ...was, spent: body.active_ms };
  const lease = { assignment: item.id, token: item.token, shown_at: item.shown_at };
  waiting.shift();
  show(desk);
  afterPaint(() => measure(desk, from));
  desk.box.answer({ client_id: entry.client_id, ...lease, ...body }, { entry });
  memory.add(entry);
  memory.paint();
  desk.counted.answered(body.active_ms, !entry.skip_reason && item.lane !== "review");
  const next = now(desk)?.example.summary ?? "";
  speak(say(gettext("%(answer)s. Next: %(next)s"), { answer: entry.answer, next }));
  if (!waiting.length) void refill(desk);
}

/** From the press of the answer's own key to the next example on screen. @param {Desk} desk @param {number} from */
function measure(desk, from) {
  if (!now(desk)) return;
  const end = performance.now();
  performance.measure("desk:next-painted", { start: from, end });
  desk.state.paintMs = end - from;
  paintAhead(desk);
}

/** @param {Desk} desk @param {Entry} old @param {Entry} entry @param {any} body */
async function change(desk, old, entry, body) {
  const { box, memory } = desk;
  leaveEdit(desk);
  show(desk);
  entry.client_id = await box.edit(old.client_id, body, { entry });
  memory.remove(old.client_id);
  memory.add({ ...entry, was: old.was });
  memory.paint();
  speak(say(gettext("Changed to %(answer)s."), { answer: entry.answer }));
}

/** @param {Desk} desk @param {Value} value */
export function give(desk, value) {
  const { kind, labels, note } = desk;
  const gone = kind.labelsIn(value).filter(name => !labels.some(l => l.name === name));
  const retired = gettext("No longer offered: %(labels)s. Choose another label.");
  if (gone.length) note.tell(say(retired, { labels: gone.join(", ") }), true);
  else submit(desk, kind.atOnce ? { label: value.label } : { value }, kind.words(value));
}

/** Send what is drawn or ticked; nothing at all is said on purpose, by its button or by Enter twice. @param {Desk} desk */
export function send(desk, byButton = false) {
  const { state, kind, note } = desk,
    { mounted } = state;
  if (!mounted || kind.atOnce) return;
  const refusal = mounted.refusal?.(),
    value = mounted.value(),
    item = now(desk) ?? null;
  const nothing = !kind.labelsIn(value).length;
  if (refusal) note.tell(refusal, true);
  else if (nothing && !byButton && state.sure !== item) {
    state.sure = item;
    note.tell(kind.sureWords(), true);
  } else give(desk, value);
}

/** The suggestion; where something else is drawn already, it is taken over first. @param {Desk} desk */
export function accept(desk) {
  const { mounted } = desk.state,
    value = now(desk)?.suggestion?.value;
  if (!value) return false;
  if (!desk.kind.atOnce && mounted?.changed()) return mounted.take?.(value);
  return give(desk, value);
}
