// What goes with an answer: a flag, a comment, in a review why the answers differed; and the reasons to skip.

import { $, $$, speak } from "./dom.js";
import { say } from "./words.js";

export const blank = () => ({ comment: "", flagged: false, error_kind: "" });

/** `item()` is what is on screen, with `extras` on it; `onSkip(reason, words)`; `onKind()` after a finding was chosen. */
export function extras({ item, reviewing, onSkip, onKind }) {
  const flag = $("#flag"), remark = $("#remark"), note = $("#comment"), skipping = $("#skip"), findings = $("#findings");
  let pending = null;  // an answer that waits for the finding

  const kinds = () => $$("input", findings);
  function paint() {
    const now = item();
    for (const part of [flag, remark, skipping]) part.hidden = !now;
    findings.hidden = !now || !reviewing();
    findings.classList.toggle("asking", Boolean(pending));
    if (!now) return;
    flag.setAttribute("aria-pressed", String(now.extras.flagged));
    remark.classList.toggle("filled", Boolean(now.extras.comment));
    $("#comment-state").textContent = now.extras.comment ? say("comment_kept") : "";
    kinds().forEach(kind => { kind.checked = kind.value === now.extras.error_kind; });
  }
  function toggleFlag() {
    const now = item();
    if (!now) return;
    now.extras.flagged = !now.extras.flagged;
    paint();
    speak(say(now.extras.flagged ? "flag_on" : "flag_off"));
  }
  function openComment() {
    remark.open = true;
    note.value = item().extras.comment;
    note.focus();
  }
  function keepComment() {
    const now = item();
    if (now) now.extras.comment = note.value.trim();
    remark.open = false;
    note.blur();
    paint();
  }
  function find(kind) {
    const now = item(), waits = pending;
    now.extras.error_kind = kind.value;
    pending = null;
    paint();
    if (waits) onKind(waits);
  }
  function skip(button) {
    skipping.open = false;
    onSkip(button.dataset.skip, $("[data-words]", button).textContent);
  }

  flag.addEventListener("click", toggleFlag);
  remark.addEventListener("toggle", () => { if (remark.open && document.activeElement !== note) { note.value = item()?.extras.comment || ""; note.focus(); } });
  note.addEventListener("keydown", event => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); keepComment(); }
    if (event.key === "Escape") { remark.open = false; event.stopPropagation(); }
  });
  $("#comment-keep").addEventListener("click", keepComment);
  $$("[data-skip]").forEach(button => button.addEventListener("click", () => skip(button)));
  findings.addEventListener("change", event => find(event.target));

  const digits = (choices, act, shift, words) => choices.map((choice, i) => ({ code: `Digit${i + 1}`, shift, words: words?.(choice), act: () => act(choice) }));
  return {
    paint,
    close() { skipping.open = false; remark.open = false; pending = null; },
    /** Ask why the answers differed before `answer` may leave. */
    ask(answer) {
      pending = answer;
      paint();
      findings.scrollIntoView({ block: "nearest" });
      (kinds().find(k => k.checked) ?? kinds()[0]).focus();
      speak(say("say_why"));
    },
    get asking() { return pending !== null; },
    /** Keys that come before all others while a step is open. */
    get steps() {
      if (pending) return [...digits(kinds(), find, undefined, k => k.dataset.words), { code: "Escape", words: say("keys_back"), act: () => { pending = null; paint(); document.activeElement?.blur(); } }];
      if (skipping.open) return [...digits($$("[data-skip]"), skip, undefined, b => $("[data-words]", b).textContent), { code: "KeyX", words: say("keys_no_skip"), act: () => { skipping.open = false; } }];
      return [];
    },
    get keys() {
      if (!item()) return [];
      return [
        ...(reviewing() ? digits(kinds(), find, true, k => k.dataset.words) : []),
        { code: "KeyX", shift: false, words: say("keys_skip"), act: () => { skipping.open = true; } },
        { code: "KeyF", shift: true, words: say("keys_flag"), act: toggleFlag },
        { code: "KeyC", shift: true, words: say("keys_comment"), act: openComment },
      ];
    },
  };
}
