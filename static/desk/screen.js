// What stands around the example: progress, what waits to be sent, why nothing is here, notices.

import { $, el, icon, speak, status } from "./dom.js";
import { hour, many, number, say, tenths } from "./words.js";

const SLOW_MS = 500;  // an answer on its way is normal; a slow one is not "saved"

/** Own answers, counted here between two words of the console. */
export function progress(first, { alone }) {
  let now = { ...first };
  function paint() {
    $("#own").textContent = many("answers", now.today) + (now.mean_s ? `, ${say("seconds_each", { s: tenths(now.mean_s) })}` : "");
    $("#team").textContent = say("of", { n: number(now.labeled), all: number(now.examples) });
    $("#team-bar").max = now.examples || 1;
    $("#team-bar").value = now.labeled;
    const reviews = now.waiting?.review || 0, link = $("#reviews");
    if (link) { link.hidden = !reviews; link.textContent = reviews ? many("reviews_wait", reviews) : ""; }
  }
  paint();
  return {
    told(found) { if (found) { now = { ...now, ...found }; paint(); } },
    answered(activeMs, counts) {
      now.mean_s = ((now.mean_s || 0) * now.today + activeMs / 1000) / (now.today + 1);
      now.today += 1;
      if (counts && alone) now.labeled = Math.min(now.labeled + 1, now.examples);
      paint();
    },
  };
}

/** The line that tells what waits. `onSignIn()` when its button is pressed. */
export function outboxLine({ ahead, onSignIn }) {
  const line = $("#outbox"), words = $("#waiting");
  let slow = 0, waits = 0, told = "";

  function mark(kind, name, sentence, ...more) {
    if (told === sentence) return;
    told = sentence;
    line.replaceChildren(status(kind, name, sentence, ...more));
  }
  function because({ since, trouble, waiting }) {
    const kept = waiting ? ` ${many("kept_here", waiting)}` : "";
    if (trouble.code === "somebody_else") return say("somebody_else") + kept;
    if (trouble.status === 401) return say("signed_out") + kept;
    if (trouble.status === 403) return trouble.message + kept;
    const more = ahead() ? ` ${many("more_here", ahead())}` : "";
    return say(trouble.status ? "console_ill" : "not_connected", { since: hour(since) }) + kept + more;
  }
  return ({ waiting, since, trouble }) => {
    waits = waiting;
    if (trouble && waiting) {
      mark("warn pill", "offline", many("answers_wait", waiting));
      line.firstChild.classList.add("pill");
      if (trouble.status === 401) line.firstChild.append(el("button.btn.quiet", { type: "button", onclick: onSignIn }, say("sign_in")));
    } else if (!waiting) mark("ok", "ok", say("all_saved"));
    if (!waiting || trouble) { clearInterval(slow); slow = 0; }
    else slow ||= setInterval(() => mark("running", "right", many("on_the_way", waits)), SLOW_MS);
    words.hidden = !(trouble && waiting);
    words.textContent = trouble && waiting ? because({ since, trouble, waiting }) : "";
  };
}

/** A line over the example: what was just refused, or that another tab is open. */
export function notes() {
  const loud = $("#note"), others = $("#others");
  return {
    tell(sentence, refused = false) {
      loud.hidden = !refused;
      loud.replaceChildren(...(refused ? [icon("warn"), el("span", {}, sentence)] : []));
      speak(sentence);
    },
    quiet() { loud.hidden = true; },
    others(n) { others.hidden = !n; others.textContent = n ? many("other_tabs", n) : ""; },
    strangers(n) { const line = $("#strangers"); line.hidden = !n; line.textContent = n ? many("strangers", n) : ""; },
  };
}

/** After a wrong answer to an example whose answer is known: beside the work, until somebody closes it. */
export function goldNotice() {
  const box = $("#gold");
  const close = () => { box.hidden = true; };
  $("#gold-close").addEventListener("click", close);
  return {
    close,
    get open() { return !box.hidden; },
    show({ summary, answer, gold }) {
      $("#gold-example").textContent = summary;
      $("#gold-said").textContent = say("gold_said", { answer, expected: gold.words });
      $("#gold-because").textContent = gold.explanation || "";
      box.hidden = false;
      if (!matchMedia("(min-width: 1001px)").matches) window.fastloop.toast("running", say("gold_said", { answer, expected: gold.words }));
    },
  };
}

export function emptyState({ onAgain }) {
  const place = $("#empty"), again = $("[data-again]", place);
  let timer = 0;
  again.addEventListener("click", onAgain);
  return {
    /** `empty` is what the console says, or null while examples are fetched. */
    paint(empty, waiting) {
      place.hidden = false;
      $("h2", place).textContent = empty?.title || say("fetching");
      $("#empty-why").textContent = empty?.sentence || (waiting ? say("last_on_their_way") : "");
      $("#empty-next").textContent = [empty?.frees_at && say("frees_at", { time: hour(empty.frees_at) }), empty?.next].filter(Boolean).join(" ");
      again.hidden = !empty;
    },
    /** Look again by itself. */
    in(ms) { clearTimeout(timer); timer = setTimeout(onAgain, ms); },
    at(moment) { this.in(Math.max(2000, new Date(moment) - Date.now() + 1000)); },
    hide() { clearTimeout(timer); place.hidden = true; },
  };
}

/** Why no example came, for the empty desk. */
export function noneCame(error, waiting) {
  const kept = waiting ? many("kept_here", waiting) : "";
  const title = error.status === 401 ? say("signed_out_title") : error.status ? say("no_example_came") : say("offline");
  return { title, sentence: `${error.status ? error.message : say("offline_empty")} ${kept}`.trim() };
}
