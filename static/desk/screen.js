// @ts-check
// What stands around the example: progress, what waits to be sent, why nothing is here, notices.

import { $, el, icon, speak, status } from "../dom.js";
import { hour } from "../moments.js";
import { many, number, say, tenths } from "../words.js";

const SLOW_MS = 500; // an answer on its way is normal; a slow one is not "saved"
const NEXT_LOOK_MS = 2000; // the console is not asked again sooner

/** @param {number} n */
const keptHere = n =>
  n ? many(ngettext("One answer is kept in this browser.", "%(n)s answers are kept in this browser.", n), n) : "";

/** Own answers, counted here between two words of the console. @param {Progress} first @param {{ alone: boolean }} given */
export function progress(first, { alone }) {
  let now = { ...first };
  function paint() {
    const each = now.mean_s ? say(gettext("%(s)s s each"), { s: tenths(now.mean_s) }) : "";
    const answers = many(ngettext("1 answer", "%(n)s answers", now.today), now.today);
    const shares = { n: number(now.labeled), all: number(now.examples) };
    const reviews = now.waiting?.review || 0,
      link = $("#reviews");
    $("#own").textContent = [answers, each].filter(Boolean).join(", ");
    $("#team").textContent = say(gettext("%(n)s of %(all)s"), shares);
    $("#team-bar").max = now.examples || 1;
    $("#team-bar").value = now.labeled;
    if (!link) return;
    link.hidden = !reviews;
    link.textContent = reviews ? many(ngettext("1 review waits", "%(n)s reviews wait", reviews), reviews) : "";
  }
  paint();
  return {
    /** @param {Partial<Progress> | undefined} found */
    told(found) {
      if (!found) return;
      now = { ...now, ...found };
      paint();
    },
    /** @param {number} activeMs @param {boolean} counts */
    answered(activeMs, counts) {
      now.mean_s = ((now.mean_s || 0) * now.today + activeMs / 1000) / (now.today + 1);
      now.today += 1;
      if (counts && alone) now.labeled = Math.min(now.labeled + 1, now.examples);
      paint();
    },
  };
}

/**
 * The line that tells what waits.
 * @param {object} given
 * @param {() => number} given.ahead how many more examples are here
 * @param {() => void} given.onSignIn when its button is pressed
 */
export function outboxLine({ ahead, onSignIn }) {
  const line = $("#outbox"),
    words = $("#waiting");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let slow;
  let waits = 0,
    shown = "";

  /** @param {string} kind @param {string} name @param {string} sentence */
  function mark(kind, name, sentence) {
    if (shown === sentence) return;
    shown = sentence;
    line.replaceChildren(status(kind, name, sentence));
  }
  const onTheWay = () =>
    mark("running", "right", many(ngettext("1 answer on the way", "%(n)s answers on the way", waits), waits));

  /** @param {Date} since @param {Trouble} trouble */
  function because(since, trouble) {
    const kept = ` ${keptHere(waits)}`,
      n = ahead();
    if (trouble.code === "somebody_else") return gettext("Somebody else is signed in now.") + kept;
    if (trouble.status === 401) return gettext("You were signed out.") + kept;
    if (trouble.status === 403) return trouble.message + kept;
    const more = ngettext("One more example is already here.", "%(n)s more examples are already here.", n);
    const why = trouble.status
      ? gettext("The console has not taken answers since %(since)s. Keep going: they are sent again and again.")
      : gettext("Not connected since %(since)s. Keep going: answers are sent when the line is back.");
    return say(why, { since: hour(since) }) + kept + (n ? ` ${many(more, n)}` : "");
  }

  /** @param {{ waiting: number, since: Date | null, trouble: Trouble | null }} now */
  return ({ waiting, since, trouble }) => {
    waits = waiting;
    const stuck = Boolean(trouble && waiting);
    if (trouble && waiting) {
      const wait = ngettext("1 answer waits to be sent", "%(n)s answers wait to be sent", waiting);
      mark("warn pill", "offline", many(wait, waiting));
      line.firstChild.classList.add("pill");
      const button = el("button.btn.quiet", { type: "button", onclick: onSignIn }, gettext("Sign in"));
      if (trouble.status === 401) line.firstChild.append(button);
    } else if (!waiting) mark("ok", "ok", gettext("All answers saved"));
    if (!waiting || trouble) {
      clearInterval(slow);
      slow = undefined;
    } else slow ??= setInterval(onTheWay, SLOW_MS);
    words.hidden = !stuck;
    words.textContent = trouble && waiting ? because(since ?? new Date(), trouble) : "";
  };
}

/** A line over the example: what was just refused, or that another tab is open. */
export function notes() {
  const loud = $("#note");
  /** @param {string} spot @param {string} sentence */
  function line(spot, sentence) {
    $(spot).hidden = !sentence;
    $(spot).textContent = sentence;
  }
  return {
    /** @param {string} sentence */
    tell(sentence, refused = false) {
      loud.hidden = !refused;
      loud.replaceChildren(...(refused ? [icon("warn"), el("span", {}, sentence)] : []));
      speak(sentence);
    },
    quiet() {
      loud.hidden = true;
    },
    /** @param {number} n */
    others(n) {
      const some = ngettext(
        "This project is open in another tab too. Each has examples of its own; nothing is lost.",
        "This project is open in %(n)s other tabs. Each has examples of its own; nothing is lost.",
        n,
      );
      line("#others", n ? many(some, n) : "");
    },
    /** @param {number} n */
    strangers(n) {
      const some = ngettext(
        "One answer by somebody else waits in this browser. It leaves when that person signs in here.",
        "%(n)s answers by others wait in this browser. They leave when those people sign in here.",
        n,
      );
      line("#strangers", n ? many(some, n) : "");
    },
  };
}

/** After a wrong answer to an example whose answer is known: beside the work, until somebody closes it. */
export function goldNotice() {
  const box = $("#gold");
  const close = () => {
    box.hidden = true;
  };
  $("#gold-close").addEventListener("click", close);
  return {
    close,
    get open() {
      return !box.hidden;
    },
    /** @param {{ entry?: Entry, gold: { words: string, explanation?: string } }} given */
    show({ entry, gold }) {
      const words = { answer: entry?.answer ?? "", expected: gold.words };
      const sentence = say(gettext("A check: you said %(answer)s, the known answer is %(expected)s."), words);
      $("#gold-example").textContent = entry?.summary ?? "";
      $("#gold-said").textContent = sentence;
      $("#gold-because").textContent = gold.explanation || "";
      box.hidden = false;
      if (!matchMedia("(min-width: 1001px)").matches) window.fastloop.toast("running", sentence);
    },
  };
}

/** @param {{ onAgain: () => void }} given */
export function emptyState({ onAgain }) {
  const place = $("#empty"),
    again = $("[data-again]", place);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  again.addEventListener("click", onAgain);
  /** Look again by itself. @param {number} ms */
  function lookIn(ms) {
    clearTimeout(timer);
    timer = setTimeout(onAgain, ms);
  }
  return {
    in: lookIn,
    /** @param {string} moment */
    at: moment => lookIn(Math.max(NEXT_LOOK_MS, new Date(moment).getTime() - Date.now() + 1000)),
    /** `empty` is what the console says, or null while examples are fetched. @param {Empty | null} empty @param {number} waiting */
    paint(empty, waiting) {
      const frees = gettext("The first frees at %(time)s; it is then fetched by itself.");
      const next = [empty?.frees_at && say(frees, { time: hour(empty.frees_at) }), empty?.next];
      const waits = waiting ? gettext("Your last answers are on their way.") : "";
      place.hidden = false;
      $("h2", place).textContent = empty?.title || gettext("Fetching examples");
      $("#empty-why").textContent = empty?.sentence || waits;
      $("#empty-next").textContent = next.filter(Boolean).join(" ");
      again.hidden = !empty;
    },
    hide() {
      clearTimeout(timer);
      place.hidden = true;
    },
  };
}

/** Why no example came, for the empty desk. @param {Trouble} error @param {number} waiting @returns {Empty} */
export function noneCame(error, waiting) {
  const [title, why] =
    error.status === 401
      ? [gettext("You were signed out"), error.message]
      : error.status
        ? [gettext("No example came"), error.message]
        : [gettext("Offline"), gettext("The console cannot be reached and no more examples are here.")];
  return { title, sentence: `${why} ${keptHere(waiting)}`.trim() };
}

/** What the empty desk says once somebody else is signed in. @param {number} waiting @returns {Empty} */
export const somebodyElse = waiting => ({
  title: gettext("This is no longer your session"),
  sentence: `${gettext("Somebody else is signed in now.")} ${keptHere(waiting)}`,
  next: gettext("Reload the page to label as the person who is signed in."),
});
