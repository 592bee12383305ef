// The keys that work now, by precedence; the list behind `?` is made of the same.

import { $ } from "./dom.js";
import { many, say } from "./words.js";

/** `item` is what is on screen, `mounted` its controls; the rest are the desk's parts and what they do. */
export function bound({ item, kind, mounted, edited, around, gold, memory, depth, free, accept, cancel, send, undo }) {
  const menu = $("#remark").open || $("#skip").open, guessed = item?.suggestion;
  const escape = [
    edited && { code: "Escape", words: say("keys_leave_change"), act: cancel },
    gold.open && { code: "Escape", words: say("keys_close_gold"), act: gold.close },
  ];
  return [
    ...around.steps,
    ...(menu ? [] : escape),
    ...(item && mounted && !memory.inside ? mounted.keys : []),
    guessed && { code: "Space", shift: false, words: say("keys_accept"), act: accept },
    guessed && !kind.atOnce && { code: "Space", shift: true, words: say("keys_take"), act: () => mounted.take(guessed.value) },
    item && !kind.atOnce && { code: "Enter", words: say("keys_send"), act: () => send() },
    ...around.keys,
    memory.last && !edited && { code: "KeyZ", shift: false, words: many("keys_undo", depth), act: undo },
    memory.last && { code: "KeyE", ...free("KeyE"), words: say("keys_change"), act: () => memory.focus() },
    { code: "KeyG", shift: false, words: say("keys_guidelines"), act: () => { $("#guidelines").open = !$("#guidelines").open; } },
  ].filter(Boolean);
}
