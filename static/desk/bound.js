// @ts-check
// The keys that work now, by precedence; the list behind `?` is made of the same.

import { accept, send } from "./answering.js";
import { free, now } from "./desk.js";
import { $ } from "../dom.js";
import { cancel, undo } from "./undoing.js";
import { many } from "../words.js";

/** @param {import("./desk.js").Desk} desk @returns {Binding[]} */
export function bindings(desk) {
  const { around, gold, kind, memory, depth } = desk,
    { edited, mounted } = desk.state;
  const item = now(desk),
    guessed = item?.suggestion;
  const menu = $("#remark").open || $("#skip").open;
  const alike = $("#alike"),
    finds = $("[data-find]");
  const undoes = ngettext("Undo the last answer", "Undo the last answer, up to %(n)s back", depth);
  const guidelines = () => {
    $("#guidelines").open = !$("#guidelines").open;
  };
  return [
    ...around.steps,
    !menu && edited && { code: "Escape", words: gettext("Leave the old answer as it is"), act: () => cancel(desk) },
    !menu && gold.open && { code: "Escape", words: gettext("Close the note about the check"), act: gold.close },
    ...(item && mounted && !memory.inside ? mounted.keys : []),
    guessed && { code: "Space", shift: false, words: gettext("Accept the suggestion"), act: () => accept(desk) },
    guessed &&
      !kind.atOnce && {
        code: "Space",
        shift: true,
        words: gettext("Take the suggestion over and change it"),
        act: () => mounted?.take?.(guessed.value),
      },
    item && !kind.atOnce && { code: "Enter", words: gettext("Send"), act: () => send(desk) },
    ...around.keys,
    memory.last && !edited && { code: "KeyZ", shift: false, words: many(undoes, depth), act: () => void undo(desk) },
    memory.last && {
      code: "KeyE",
      ...free(desk, "KeyE"),
      words: gettext("Change one of the last answers: arrows, then Enter"),
      act: () => memory.focus(),
    },
    alike &&
      !alike.hidden && { code: "KeyL", shift: true, words: gettext("Label those like it"), act: () => alike.click() },
    ...(finds ? [] : [{ code: "/", words: gettext("Search examples"), act: () => location.assign(desk.urls.search) }]),
    { code: "KeyG", shift: false, words: gettext("Guidelines"), act: guidelines },
  ].filter(each => !!each);
}
