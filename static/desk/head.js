// @ts-check
// What stands over an example: why it is shown, its lane and guidelines, the suggestion, in a review the answers so far.

import { $ } from "../dom.js";
import { say } from "../words.js";

/** @type {() => Record<string, string>} */
const lanes = () => ({
  active: gettext("Active lane"),
  random: gettext("Random lane"),
  holdout: gettext("Holdout lane"),
  audit: gettext("Audit lane"),
  gold: gettext("Active lane"), // told apart it would be answered with more care than the rest
  relabel: gettext("Second look"),
  review: gettext("Review"),
  drift: gettext("Drift lane"),
  bulk: gettext("Labeled together with others"),
});

/**
 * @param {Item} item
 * @param {object} given
 * @param {Kind} given.kind
 * @param {{ entry: Entry } | null} given.edited the old answer being changed
 * @param {number | null} given.current the number of the guidelines on the page
 * @param {(value: Value) => void} given.onTake
 */
export function paintHead(item, { kind, edited, current, onTake }) {
  const changing = gettext("You answered “%(answer)s”. What you send now replaces it.");
  const under = gettext("This example was given under version %(n)s.");
  $("#why").textContent = edited ? say(changing, { answer: edited.entry.answer }) : item.why;
  $("#hold").textContent = `${lanes()[item.lane]} · ${item.example.external_id}`;
  $("#given-under").textContent =
    item.guidelines && item.guidelines !== current ? say(under, { n: item.guidelines }) : "";
  paintGuess(item.suggestion, kind);
  paintVotes(item.votes ?? [], kind, onTake);
}

/** @param {Suggestion | null} guess @param {Kind} kind */
function paintGuess(guess, kind) {
  $("#guess").hidden = !guess;
  if (!guess) return;
  const known = typeof guess.confidence === "number";
  const share = known ? Math.round(100 * /** @type {number} */ (guess.confidence)) : 0;
  $("#guess b").textContent = kind.words(guess.value);
  $("#guess-sure").textContent = known ? say(gettext("%(n)s % sure"), { n: share }) : "";
  $("#guess progress").hidden = !known;
  $("#guess progress").value = share;
}

/** @param {Vote[]} votes @param {Kind} kind @param {(value: Value) => void} onTake */
function paintVotes(votes, kind, onTake) {
  const list = $("#votes");
  list.hidden = !votes.length;
  list.replaceChildren(
    ...votes.map(vote => {
      const row = $("#vote").content.cloneNode(true),
        take = $("button", row);
      $("[data-who]", row).textContent = vote.who;
      $("[data-said]", row).textContent = vote.words;
      $("[data-comment]", row).textContent = vote.comment;
      take.hidden = Boolean(kind.atOnce) || !vote.value;
      take.onclick = () => onTake(vote.value);
      return row;
    }),
  );
}
