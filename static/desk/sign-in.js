// Who is signed in. A session that ended is opened again on the spot; answers leave only under the name that gave them.

import { call } from "./api.js";
import { $ } from "./dom.js";
import { many, say } from "./words.js";

/** `onBack()` once the same person is signed in, `onElse()` when it is somebody else, `waiting()` counts what is kept. */
export function session({ url, person, waiting, onBack, onElse }) {
  const dialog = $("#sign-in"), form = $("form", dialog), failure = $("#sign-in-error");
  let confirmed = window.fastloop.csrf();  // a new sign-in, in whichever tab, brings a new token
  let state = "same", later = false;  // who puts it off is not asked again, the button stays

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

  function ask() {
    if (dialog.open || state === "else") return;
    $("#sign-in-why").textContent = waiting() ? many("sign_in_why", waiting()) : say("sign_in_why_none");
    failure.hidden = true;
    dialog.showModal();
    $("[name=password]", form).focus();
  }

  form.addEventListener("submit", async event => {
    event.preventDefault();
    const button = $("[type=submit]", form), given = Object.fromEntries(new FormData(form));
    button.disabled = true;
    try {
      await call(url);  // the token may have gone with the session
      await call(url, given);
      form.reset();
      dialog.close();
      await look();
      if (state === "same") onBack();
    } catch (error) {
      failure.textContent = error.message;
      failure.hidden = false;
      $("[name=password]", form).focus();
    } finally { button.disabled = false; }
  });
  dialog.addEventListener("close", () => { later = state !== "same"; });
  $("[data-later]", dialog).addEventListener("click", () => dialog.close());

  return {
    ask,
    get state() { return state; },
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
