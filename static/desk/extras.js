// @ts-check
// What goes with an answer: a flag, a comment, in a review why the answers differed; and the reasons to skip.

import { $, $$, composing, speak } from "../dom.js";

/** @returns {Extras} */
export const blank = () => ({ comment: "", flagged: false, error_kind: "" });

/** @typedef {{ body: any, words: string }} Answer */

/**
 * @param {object} given
 * @param {() => Item | undefined} given.item what is on screen, with `extras` on it
 * @param {() => boolean} given.reviewing
 * @param {(reason: string, words: string) => void} given.onSkip
 * @param {(answer: Answer) => void} given.onKind after a finding was chosen
 */
export function extras({ item, reviewing, onSkip, onKind }) {
  const flag = $("#flag"),
    remark = $("#remark"),
    note = $("#comment"),
    skipping = $("#skip"),
    findings = $("#findings");
  /** An answer that waits for the finding. @type {Answer | null} */
  let pending = null;

  const kinds = () => $$("input", findings);
  function paint() {
    const now = item();
    for (const part of [flag, remark, skipping]) part.hidden = !now;
    findings.hidden = !now || !reviewing();
    findings.classList.toggle("asking", Boolean(pending));
    if (!now) return;
    flag.setAttribute("aria-pressed", String(now.extras.flagged));
    remark.classList.toggle("filled", Boolean(now.extras.comment));
    $("#comment-state").textContent = now.extras.comment ? gettext("A comment goes with this answer.") : "";
    for (const kind of kinds()) kind.checked = kind.value === now.extras.error_kind;
  }
  function toggleFlag() {
    const now = item();
    if (!now) return;
    now.extras.flagged = !now.extras.flagged;
    paint();
    speak(now.extras.flagged ? gettext("Flagged. Somebody looks at this example again.") : gettext("The flag is off."));
  }
  function openComment() {
    remark.open = true;
    note.value = item()?.extras.comment;
    note.focus();
  }
  function keepComment() {
    const now = item();
    if (now) now.extras.comment = note.value.trim();
    remark.open = false;
    note.blur();
    paint();
  }
  /** @param {HTMLInputElement} kind */
  function find(kind) {
    const now = item(),
      waits = pending;
    if (now) now.extras.error_kind = kind.value;
    pending = null;
    paint();
    if (waits) onKind(waits);
  }
  /** @param {HTMLElement} button */
  function skip(button) {
    skipping.open = false;
    onSkip(button.dataset.skip ?? "", $("[data-words]", button).textContent);
  }
  function backToAnswer() {
    pending = null;
    paint();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  flag.addEventListener("click", toggleFlag);
  remark.addEventListener("toggle", () => {
    if (!remark.open || document.activeElement === note) return;
    note.value = item()?.extras.comment || "";
    note.focus();
  });
  note.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (composing(event)) return event.stopPropagation();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      keepComment();
    }
    if (event.key === "Escape") {
      remark.open = false;
      event.stopPropagation();
    }
    return undefined;
  });
  $("#comment-keep").addEventListener("click", keepComment);
  for (const button of $$("[data-skip]")) button.addEventListener("click", () => skip(button));
  findings.addEventListener("change", (/** @type {any} */ event) => find(event.target));

  const findingKeys = (/** @type {boolean | undefined} */ shift) =>
    kinds().map((kind, i) => ({ code: `Digit${i + 1}`, shift, words: kind.dataset.words, act: () => find(kind) }));
  const skipKeys = () =>
    $$("[data-skip]").map((button, i) => {
      return { code: `Digit${i + 1}`, words: $("[data-words]", button).textContent, act: () => skip(button) };
    });
  const open = (/** @type {boolean} */ on) => {
    skipping.open = on;
  };

  return {
    paint,
    close() {
      skipping.open = false;
      remark.open = false;
      pending = null;
    },
    /** Ask why the answers differed before `answer` may leave. @param {Answer} answer */
    ask(answer) {
      pending = answer;
      paint();
      findings.scrollIntoView({ block: "nearest" });
      (kinds().find(k => k.checked) ?? kinds()[0]).focus();
      speak(gettext("Say why the answers differed; then yours is sent."));
    },
    /** Keys that come before all others while a step is open. @returns {Binding[]} */
    get steps() {
      const back = { code: "Escape", words: gettext("Back to the answer"), act: backToAnswer };
      const noSkip = { code: "KeyX", words: gettext("Do not skip"), act: () => open(false) };
      if (pending) return [...findingKeys(undefined), back];
      return skipping.open ? [...skipKeys(), noSkip] : [];
    },
    /** @returns {Binding[]} */
    get keys() {
      if (!item()) return [];
      return [
        ...(reviewing() ? findingKeys(true) : []),
        { code: "KeyX", shift: false, words: gettext("Skip with a reason"), act: () => open(true) },
        { code: "KeyF", shift: true, words: gettext("Flag, so that somebody looks again"), act: toggleFlag },
        { code: "KeyC", shift: true, words: gettext("Comment"), act: openComment },
      ];
    },
  };
}
