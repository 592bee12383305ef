// What stands over an example: why it is shown, its lane and guidelines, the suggestion, in a review the answers so far.

import { $ } from "./dom.js";
import { say } from "./words.js";

/** `edited` is the old answer being changed, or null; `current` the number of the guidelines on the page. */
export function paintHead(item, { kind, edited, current, onTake }) {
  $("#why").textContent = edited ? say("changing", { answer: edited.entry.answer }) : item.why;
  $("#hold").textContent = `${say(`lane_${item.lane}`)} · ${item.example.external_id}`;
  const given = item.guidelines;
  $("#given-under").textContent = given && given !== current ? say("given_under", { n: given }) : "";
  paintGuess(item.suggestion, kind);
  paintVotes(item.votes ?? [], kind, onTake);
}

function paintGuess(guess, kind) {
  $("#guess").hidden = !guess;
  if (!guess) return;
  const known = typeof guess.confidence === "number", share = Math.round(100 * guess.confidence);
  $("#guess b").textContent = kind.words(guess.value);
  $("#guess-sure").textContent = known ? say("sure", { n: share }) : "";
  $("#guess progress").hidden = !known;
  $("#guess progress").value = known ? share : 0;
}

function paintVotes(votes, kind, onTake) {
  const list = $("#votes");
  list.hidden = !votes.length;
  list.replaceChildren(...votes.map(vote => {
    const row = $("#vote").content.cloneNode(true), take = $("button", row);
    $("[data-who]", row).textContent = vote.who;
    $("[data-said]", row).textContent = vote.words;
    $("[data-comment]", row).textContent = vote.comment;
    take.hidden = Boolean(kind.atOnce) || !vote.value;
    take.onclick = () => onTake(vote.value);
    return row;
  }));
}
