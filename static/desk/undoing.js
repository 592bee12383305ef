// @ts-check
// Undo and change: an answer comes back to the screen, taken back where it is or replaced by what is sent next.

import { call } from "./api.js";
import { $, speak } from "../dom.js";
import { show } from "./paint.js";
import { say } from "../words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** The last answer. @param {Desk} desk */
export async function undo(desk) {
  const { state, memory, waiting } = desk,
    last = memory.last;
  if (!last || state.busy || state.edited) return;
  state.busy = true;
  try {
    const back = await takeBack(desk, last);
    memory.remove(last.client_id);
    if (back) {
      stow(desk);
      waiting.putBack(back);
      state.empty = null;
      desk.others.changed();
      show(desk);
    }
    speak(say(gettext("%(answer)s is undone."), { answer: last.answer }));
  } catch (thrown) {
    const error = /** @type {Trouble} */ (thrown);
    const away = gettext("The console cannot be reached, so this answer cannot be undone now. It can be changed.");
    if (error.status === 409) memory.remove(last.client_id);
    window.fastloop.toast("warn", error.status ? error.message : away);
  } finally {
    state.busy = false;
    memory.paint();
  }
}

/** Wherever the answer is by now. @param {Desk} desk @param {Entry} entry @returns {Promise<Item | undefined>} its example */
async function takeBack(desk, entry) {
  const { box, counted, urls, who } = desk;
  const { fate, clientId } = await box.takeBack(entry.client_id);
  if (fate === "gone") return entry.was;
  if (fate === "edit") return takeBack(desk, { ...entry, client_id: clientId });
  if (fate === "tried" && entry.was) {
    box.undo(clientId);
    return entry.was;
  }
  const reply = await call(urls.undo, { client_id: clientId }).catch(error => {
    if (error.status === 401) who.refused();
    throw error;
  });
  counted.told(reply.progress);
  return { ...reply.assignment, spent: entry.was?.spent };
}

/** Show an old answer, so that another replaces it. @param {Desk} desk @param {Entry} entry */
export function open(desk, entry) {
  stow(desk);
  const { client_id: id, example, lane, value, guidelines, comment, flagged } = entry;
  /** @type {Item} */
  const item = {
    id: `change-${id}`,
    token: "",
    why: "",
    example,
    lane,
    guidelines,
    value,
    suggestion: null,
    nearest: [],
    votes: entry.was?.votes ?? [],
    review: entry.was?.review,
    extras: { comment: comment || "", flagged: Boolean(flagged), error_kind: "" },
  };
  desk.state.edited = { entry, item };
  show(desk);
  $("#example").focus({ preventScroll: true });
}

/** @param {Desk} desk */
export function leaveEdit(desk) {
  desk.state.edited = null;
  desk.around.close();
}

/** Leave the old answer as it is. @param {Desk} desk */
export function cancel(desk) {
  leaveEdit(desk);
  show(desk);
}

/** Keep what is half done on the example that leaves the screen, for when it comes back. @param {Desk} desk */
function stow({ state, kind, time, waiting }) {
  const { first } = waiting;
  if (state.edited || !first || !state.mounted) return;
  first.spent = time.read();
  if (!kind.atOnce && state.mounted.changed()) first.draft = state.mounted.value();
}
