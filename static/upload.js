// The upload form with a progress bar. Without this file it is a plain form and works as well.
(() => {
  "use strict";
  const form = document.getElementById("upload");
  const input = form?.querySelector("input[type=file]");
  if (!form || !input) return;
  const error = document.getElementById("upload-error"), meter = document.getElementById("upload-progress");
  const [send, stop] = form.querySelectorAll(".btn");
  const drop = form.querySelector(".drop"), named = drop.querySelector("b"), idle = named.textContent;
  const size = bytes => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

  function say(sentence) {
    error.hidden = !sentence;
    error.querySelector("span").textContent = sentence;
    input.setAttribute("aria-invalid", String(Boolean(sentence)));
  }
  function fault(file) {
    if (!file) return "Choose a file first.";
    if (!form.dataset.suffixes.split(" ").some(s => file.name.toLowerCase().endsWith(s)))
      return `“${file.name}” is not a file we read. Send ${form.dataset.words} (ending ${form.dataset.suffixes.split(" ").join(", ")}).`;
    if (file.size === 0) return `“${file.name}” is empty.`;
    if (file.size > Number(form.dataset.limit))
      return `“${file.name}” has ${size(file.size)}; at most ${size(Number(form.dataset.limit))} are taken at once. Split it, or send batches to the API.`;
    return "";
  }
  function chosen() {
    const file = input.files[0];
    named.textContent = file ? `${file.name}, ${size(file.size)}` : idle;
    drop.querySelector(".drop-too").hidden = Boolean(file);
    say(file ? fault(file) : "");
  }
  function busy(on) {
    meter.hidden = !on;
    send.disabled = on;
    stop.hidden = !on;
  }

  input.addEventListener("change", chosen);
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, event => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", event => {
    if (event.dataTransfer.files.length > 1) return say("One file at a time: each gets its own line under Arrivals.");
    input.files = event.dataTransfer.files;
    chosen();
  });

  form.addEventListener("submit", event => {
    event.preventDefault();
    const file = input.files[0], wrong = fault(file);
    say(wrong);
    if (wrong) return input.focus();
    const request = new XMLHttpRequest(), [what, share] = meter.querySelectorAll("span"), bar = meter.querySelector("progress");
    what.querySelector("b").textContent = file.name;
    request.upload.onprogress = seen => {
      const percent = seen.lengthComputable ? Math.floor(100 * seen.loaded / seen.total) : 0;
      bar.value = percent;
      share.textContent = `${percent} % of ${size(file.size)}`;
    };
    request.onload = () => {
      busy(false);
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* a page: signed out, or a fault */ }
      if (request.status === 202 && answer) {
        form.reset();
        chosen();
        window.fastloop.toast("ok", `“${answer.filename}” is here and is being read.`);
        document.body.dispatchEvent(new CustomEvent("live:ingestion"));
      } else say(answer?.error || (request.status === 413 ? "The file is larger than the console takes. Nothing was stored." : "The file was not taken, and nothing was stored. Reload the page and send it again."));
    };
    request.onerror = () => { busy(false); say("The line broke while sending. Nothing was stored; send it again."); };
    request.onabort = () => { busy(false); say(""); };
    stop.onclick = () => request.abort();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", window.fastloop.csrf());
    request.send(new FormData(form));
    busy(true);
  });
})();
