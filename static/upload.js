// @ts-check
// The upload form with a progress bar. Without this file it is a plain form and works as well.

import { $, $$ } from "./dom.js";
import { say } from "./words.js";

const form = $("#upload"),
  input = $("input[type=file]", form),
  error = $("#upload-error"),
  meter = $("#upload-progress"),
  drop = $(".drop", form),
  named = $("b", drop),
  idle = named.textContent;
const [send, stop] = $$(".btn", form);
const most = Number(form.dataset.limit),
  /** @type {string[]} */ suffixes = form.dataset.suffixes.split(" ");

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
/** @param {string} sentence */
function tell(sentence) {
  error.hidden = !sentence;
  $("span", error).textContent = sentence;
  input.setAttribute("aria-invalid", String(Boolean(sentence)));
}
/** What is wrong with a file, in a sentence. @param {File | undefined} file */
function fault(file) {
  if (!file) return gettext("Choose a file first.");
  const { name } = file;
  if (!suffixes.some(suffix => name.toLowerCase().endsWith(suffix))) {
    const kinds = { name, words: form.dataset.words, endings: suffixes.join(", ") };
    return say(gettext("“%(name)s” is not a file we read. Send %(words)s (ending %(endings)s)."), kinds);
  }
  if (file.size === 0) return say(gettext("“%(name)s” is empty."), { name });
  if (file.size <= most) return "";
  const large = gettext(
    "“%(name)s” has %(size)s; at most %(most)s are taken at once. Split it, or send batches to the API.",
  );
  return say(large, { name, size: size(file.size), most: size(most) });
}
function chosen() {
  /** @type {File | undefined} */
  const file = input.files[0];
  named.textContent = file ? `${file.name}, ${size(file.size)}` : idle;
  $(".drop-too", drop).hidden = Boolean(file);
  tell(file ? fault(file) : "");
}
/** @param {boolean} on */
function busy(on) {
  meter.hidden = !on;
  send.disabled = on;
  stop.hidden = !on;
}

input.addEventListener("change", chosen);
/** @param {boolean} over @returns {(event: Event) => void} */
const hovering = over => event => {
  event.preventDefault();
  drop.classList.toggle("over", over);
};
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, hovering(true));
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, hovering(false));
drop.addEventListener("drop", (/** @type {DragEvent} */ event) => {
  const files = event.dataTransfer?.files;
  if (files && files.length > 1) return tell(gettext("One file at a time: each gets its own line under Arrivals."));
  input.files = files;
  return chosen();
});

/** @param {XMLHttpRequest} request */
function answered(request) {
  /** @type {any} */
  let answer = null;
  busy(false);
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    /* a page: signed out, or a fault */
  }
  if (request.status !== 202 || !answer) return tell(answer?.error || refusal(request.status));
  if (answer.columns) return window.location.assign(answer.columns);
  form.reset();
  chosen();
  window.fastloop.toast("ok", say(gettext("“%(name)s” is here and is being read."), { name: answer.filename }));
  return document.body.dispatchEvent(new CustomEvent("live:ingestion"));
}
/** @param {number} status */
const refusal = status =>
  status === 413
    ? gettext("The file is larger than the console takes. Nothing was stored.")
    : gettext("The file was not taken, and nothing was stored. Reload the page and send it again.");

/** @param {File} file */
function upload(file) {
  const request = new XMLHttpRequest(),
    [what, share] = $$("span", meter),
    bar = $("progress", meter);
  $("b", what).textContent = file.name;
  request.upload.onprogress = seen => {
    const percent = seen.lengthComputable ? Math.floor((100 * seen.loaded) / seen.total) : 0;
    bar.value = percent;
    share.textContent = say(gettext("%(percent)s % of %(size)s"), { percent, size: size(file.size) });
  };
  request.onload = () => answered(request);
  request.onerror = () => {
    busy(false);
    tell(gettext("The line broke while sending. Nothing was stored; send it again."));
  };
  request.onabort = () => {
    busy(false);
    tell("");
  };
  stop.onclick = () => request.abort();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", window.fastloop.csrf());
  request.send(new FormData(form));
  busy(true);
}
form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  const file = input.files[0],
    wrong = fault(file);
  event.preventDefault();
  tell(wrong);
  if (wrong) input.focus();
  else upload(file);
});
