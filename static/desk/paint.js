// @ts-check
// What is on screen: the example with its controls, or why there is none.

import { free, now } from "./desk.js";
import { $ } from "../dom.js";
import { fill } from "./example.js";
import { blank } from "./extras.js";
import { paintHead } from "./head.js";
import { somebodyElse } from "./screen.js";
import { many, say } from "../words.js";

/** @typedef {import("./desk.js").Desk} Desk */
const FIGURES = new URLSearchParams(location.search).has("figures"); // how fast the desk is, for who asks

/** @param {Desk} desk */
export function show(desk) {
  const item = now(desk);
  document.body.classList.toggle("is-changing", Boolean(desk.state.edited));
  $("#task").hidden = !item;
  $("#send").hidden = !item || desk.kind.atOnce;
  if (!item) paintNothing(desk);
  else {
    desk.nothing.hide();
    if ($("#example").dataset.shown !== `${item.id}`) paintItem(desk, item);
  }
  desk.around.paint();
  paintAlike(item);
  paintAhead(desk);
}

/** The holdout is never labeled together with others. @param {Item | undefined} item */
function paintAlike(item) {
  const door = $("#alike");
  if (!door) return;
  door.hidden = !item || item.lane === "holdout";
  if (item) door.search = `?like=${item.example.id}`;
}

/** @param {Desk} desk */
function paintNothing({ state, box, nothing }) {
  state.mounted?.unmount?.();
  state.mounted = null;
  $("#example").dataset.shown = "";
  if (state.lost) return nothing.paint(somebodyElse(box.waiting), 0);
  nothing.paint(state.empty, box.waiting);
  if (state.empty?.frees_at) nothing.at(state.empty.frees_at);
  return undefined;
}

/** @param {Desk} desk @param {Item} item */
function paintItem(desk, item) {
  const { state, kind } = desk,
    stage = $("#example"),
    root = $("#answer");
  const byKeyboard = stage.contains(document.activeElement) || root.contains(document.activeElement);
  state.mounted?.unmount?.();
  item.extras ??= blank();
  item.shown_at ??= new Date().toISOString();
  stage.replaceChildren(fill($("#shape").content.cloneNode(true), item.example, desk.waiting.image));
  stage.dataset.shown = item.id;
  stage.dataset.external = item.example.external_id;
  state.mounted = kind.mount(root, mountGiven(desk, item, stage));
  desk.around.close();
  desk.time.start(item.spent);
  paintHead(item, {
    kind,
    edited: state.edited,
    current: Number(desk.urls.guidelines) || null,
    onTake: value => state.mounted?.take?.(value),
  });
  changed(desk);
  if (byKeyboard) stage.focus({ preventScroll: true });
  $("#main").scrollTo({ top: 0 });
}

/** @param {Desk} desk @param {Item} item @param {HTMLElement} stage @returns {MountGiven} */
const mountGiven = (desk, item, stage) => ({
  labels: desk.labels,
  nearest: item.nearest,
  example: item.example,
  suggestion: item.suggestion,
  value: item.draft ?? item.value ?? undefined,
  stage,
  tell: desk.note.tell,
  free: code => free(desk, code),
  shown: desk.keys.shown,
  onChange: () => changed(desk),
  answer(value, event) {
    if (event?.detail && event.target instanceof HTMLElement) event.target.blur();
    desk.give(value);
  },
});

/** What is drawn or ticked has changed. @param {Desk} desk */
function changed({ state, kind }) {
  state.sure = null;
  if (!kind.atOnce && state.mounted) $("#send-words").textContent = kind.sendWords(state.mounted.value());
}

/** @param {Desk} desk */
export function paintAhead({ state, waiting }) {
  const left = Math.max(0, waiting.length - 1),
    ms = state.paintMs;
  const took = ms === null ? "" : say(gettext("Answer to the next example: %(ms)s ms"), { ms: Math.round(ms) });
  const ahead = many(ngettext("1 prefetched", "%(n)s prefetched", left), left);
  $("#ahead").textContent = FIGURES && waiting.length ? [took, ahead].filter(Boolean).join(", ") : "";
}
