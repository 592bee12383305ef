// @ts-check
// Who is signed in. A session that ended is opened again on the spot; answers leave only under the name that gave them.

import { call } from "./api.js";
import { $ } from "../dom.js";
import { many } from "../words.js";

/**
 * @param {object} given
 * @param {string} given.url
 * @param {string} given.person
 * @param {() => number} given.waiting counts what is kept
 * @param {() => void} given.onBack once the same person is signed in
 * @param {() => void} given.onElse when it is somebody else
 */
export function session({ url, person, waiting, onBack, onElse }) {
  const dialog = $("#sign-in"),
    form = $("form", dialog),
    failure = $("#sign-in-error");
  let confirmed = window.fastloop.csrf(); // a new sign-in, in whichever tab, brings a new token
  let state = "same",
    later = false; // who puts it off is not asked again, the button stays

  async function look() {
    const found = await call(url);
    confirmed = window.fastloop.csrf();
    const before = state;
    state = found.person === null ? "out" : String(found.person) === person ? "same" : "else";
    if (state === "else" && before !== "else") onElse();
    if (state === "same") later = false;
    if (state === "same" && before !== "same") onBack();
    return state;
  }

  /** @param {number} n */
  function why(n) {
    if (!n) return gettext("You were signed out. Nothing is lost: sign in here and go on.");
    return many(
      ngettext(
        "You were signed out. One answer waits in this browser and leaves once you are back.",
        "You were signed out. %(n)s answers wait in this browser and leave once you are back.",
        n,
      ),
      n,
    );
  }
  function ask() {
    if (dialog.open || state === "else") return;
    $("#sign-in-why").textContent = why(waiting());
    failure.hidden = true;
    dialog.showModal();
    $("[name=password]", form).focus();
  }

  form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const button = $("[type=submit]", form),
      given = Object.fromEntries(new FormData(form));
    button.disabled = true;
    try {
      await call(url); // the token may have gone with the session
      await call(url, given);
      form.reset();
      dialog.close();
      await look();
      if (state === "same") onBack();
    } catch (error) {
      failure.textContent = /** @type {Trouble} */ (error).message;
      failure.hidden = false;
      $("[name=password]", form).focus();
    } finally {
      button.disabled = false;
    }
  });
  dialog.addEventListener("close", () => {
    later = state !== "same";
  });
  $("[data-later]", dialog).addEventListener("click", () => dialog.close());

  return {
    ask,
    /** Before an answer leaves: is it still the same person? */
    async same() {
      if (state === "same" && window.fastloop.csrf() === confirmed) return true;
      return (await look()) === "same";
    },
    /** The console said that nobody, or somebody without this right, is signed in. */
    async refused() {
      const now = await look().catch(() => "unknown");
      if (now === "out" && !later) ask();
      return now;
    },
  };
}
