// The labeling desk: paint, answer, undo. The next examples are here before they are needed; answers leave by the outbox.
(() => {
  "use strict";
  const { post, outbox, toast } = window.fastloop;
  const $ = (selector, root = document) => root.querySelector(selector);
  const desk = $("#desk");
  const read = id => JSON.parse($(`#${id}`).textContent);
  const labels = read("labels");

  const AHEAD = 3;                     // examples kept behind the one on screen
  const MOST_PICKS = 12, UNDO_DEPTH = 10;
  const PLACES = [..."1234QWERASDF"];  // keys of the grid when the labels are more than it holds
  const IDLE_MS = 5 * 60_000, RENEW_MS = 60_000, SLOW_MS = 500;

  let queue = [], past = read("past"), progress = read("progress"), shownAt = null, empty = null, slow = null;
  let fetching = null, again = 0, paintMs = null, undoing = false;

  // --- time that was spent looking: stops while hidden and after five minutes without a sign of life
  const clock = { ms: 0, at: 0, touched: 0, visible: !document.hidden };
  function settle() {
    const now = performance.now();
    if (clock.visible) clock.ms += Math.max(0, Math.min(now, clock.touched + IDLE_MS) - clock.at);
    clock.at = now;
  }
  function touch() { settle(); clock.touched = performance.now(); }
  function restart() { clock.ms = 0; clock.at = clock.touched = performance.now(); shownAt = new Date().toISOString(); }
  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(sign, touch, { passive: true, capture: true });

  // --- the letters that stand on this reader's keys; positions stay the same on every layout
  let layout = null;
  navigator.keyboard?.getLayoutMap?.().then(map => { layout = map; paint(); }).catch(() => {});
  const codeOf = key => /[0-9]/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`;
  const shownKey = key => /[0-9]/.test(key) ? key : (layout?.get(codeOf(key)) || key).toUpperCase();

  // --- answers on their way
  const box = outbox({
    prefix: `fastloop.answer.${desk.dataset.person}.${desk.dataset.projectId}.`,
    url: desk.dataset.answer,
    want: () => Math.max(0, AHEAD + 1 - queue.length),
    onSaved(reply) { take(reply); },
    onDropped(item, sentence) {
      past = past.filter(p => p.client_id !== item.client_id);
      toast("breach", `One answer was not taken. ${sentence}`);
      paintPast();
    },
    onChange: paintOutbox,
  });

  function take(reply) {
    const here = new Set(queue.map(a => a.id));
    const fresh = reply.assignments.filter(a => !here.has(a.id) && !box.holds(a.id));
    for (const { example } of fresh) if (example.image_url) new Image().src = example.image_url;
    const wasEmpty = !queue.length;
    queue.push(...fresh);
    empty = reply.empty;
    progress = reply.progress;
    paintProgress();
    if (wasEmpty && queue.length) paint();
    else if (!queue.length && reply.empty) paintEmpty();
  }

  async function fetchMore() {
    clearTimeout(again);
    fetching ??= (async () => {
      await box.flush();
      take(await post(desk.dataset.next, { count: AHEAD + 1 }));
      if (!queue.length) paintEmpty();
    })().catch(error => paintTrouble(error)).finally(() => { fetching = null; });
    return fetching;
  }

  function answer(choice, words) {
    const now = queue.shift();
    if (!now || undoing) { if (now) queue.unshift(now); return; }
    settle();
    const item = { client_id: newId(), assignment: now.id, token: now.token, active_ms: Math.round(clock.ms), shown_at: shownAt, ...choice };
    past = [{ client_id: item.client_id, summary: now.example.summary, answer: words, at: new Date().toISOString(), was: now }, ...past].slice(0, UNDO_DEPTH);
    const began = performance.now();
    if (queue.length) { paint(); requestAnimationFrame(() => { paintMs = performance.now() - began; paintAhead(); }); }
    box.add(item);
    paintPast();
    if (!queue.length) fetchMore(paintEmpty());
  }
  const newId = () => crypto.randomUUID?.() || "10000000-1000-4000-8000-100000000000".replace(/[018]/g,
    c => (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));  // plain http has no randomUUID
  const label = name => answer({ label: name }, name);
  const skip = button => { $("#skip").open = false; answer({ skip_reason: button.dataset.skip }, `Skipped: ${button.lastChild.textContent.toLowerCase()}`); };

  async function undo() {
    const last = past[0];
    if (!last || undoing) return;
    undoing = true;
    try {
      let back = last.was;
      if (!(await box.takeBack(last.client_id)) || !back) {
        const reply = await post(desk.dataset.undo, { client_id: last.client_id });
        back = reply.assignment;
        progress = reply.progress;
      }
      past = past.filter(p => p !== last);
      queue = [back, ...queue.filter(a => a.id !== back.id)];
      paint();
      paintPast();
      paintProgress();
    } catch (error) {
      toast("warn", error.status ? error.message : "The console cannot be reached, so this answer cannot be undone now.");
      if (error.status === 409) past = past.filter(p => p !== last);
      paintPast();
    } finally { undoing = false; }
  }

  // --- paint
  function paint() {
    const now = queue[0];
    $("#task").hidden = !now;
    $("#empty").hidden = Boolean(now);
    $("#skip").hidden = !now;
    if (!now) return;
    const place = $("#example");
    if (place.dataset.id !== String(now.id) + now.token) {
      place.replaceChildren(fill($("#shape").content.cloneNode(true), now.example));
      place.dataset.id = String(now.id) + now.token;
      if ($("#find")) $("#find").value = "";
      restart();
      scrollTo({ top: 0 });
    }
    $("#why").textContent = now.why;
    $("#hold").textContent = `${now.lane[0].toUpperCase()}${now.lane.slice(1)} lane · ${now.example.external_id}`;
    const guess = now.suggestion;
    $("#guess").hidden = !guess;
    if (guess) {
      $("#guess b").textContent = guess.label;
      $("#guess .meter > span:nth-child(2)").textContent = `${Math.round(100 * guess.confidence)} % sure`;
      $("#guess progress").value = Math.round(100 * guess.confidence);
    }
    paintPicks();
    paintAhead();
  }
  function fill(shape, example) {
    for (const spot of shape.querySelectorAll("[data-fill]")) {
      const value = example[spot.dataset.fill];
      if (spot instanceof HTMLImageElement) { spot.src = value; continue; }
      if (!Array.isArray(value)) { spot.textContent = value ?? ""; continue; }
      for (const [name, cell] of value) {
        const row = spot.appendChild(document.createElement("div"));
        row.appendChild(document.createElement("dt")).textContent = name;
        row.appendChild(document.createElement("dd")).textContent = cell ?? "empty";
      }
    }
    return shape;
  }
  function offered() {
    if (labels.length <= MOST_PICKS) return labels.map(l => ({ name: l.name, color: l.color, key: l.hotkey }));
    const words = ($("#find")?.value || "").trim().toLowerCase();
    const near = queue[0]?.nearest?.length ? queue[0].nearest : labels.slice(0, MOST_PICKS).map(l => l.name);
    const names = words ? labels.map(l => l.name).filter(n => n.toLowerCase().includes(words)) : [...near].sort((a, b) => a.localeCompare(b));
    return names.slice(0, MOST_PICKS).map((name, i) => ({ name, color: labels.find(l => l.name === name)?.color, key: words ? "" : PLACES[i] }));
  }
  function paintPicks() {
    const grid = $("#picks"), shown = offered();
    grid.classList.toggle("ten", labels.length === 10 && labels.every(l => l.name.length < 9));
    grid.replaceChildren(...shown.map(pick => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "pick";
      button.dataset.label = pick.name;
      if (pick.key) button.appendChild(document.createElement("kbd")).textContent = shownKey(pick.key);
      button.append(pick.name);
      if (pick.color) button.style.setProperty("--pick", pick.color);
      return button;
    }));
    if (!shown.length) grid.append(Object.assign(document.createElement("p"), { className: "dim", textContent: "No label has these letters." }));
  }
  function paintEmpty() {
    const place = $("#empty"), waits = box.waiting;
    queue.length || paint();
    if (queue.length) return;
    $("h2", place).textContent = empty?.title || "Fetching examples";
    $("p", place).textContent = empty ? empty.sentence + (empty.frees_at ? ` The first frees at ${hour(empty.frees_at)}.` : "") : (waits ? "Your last answers are on their way." : "");
    $("button", place).hidden = !empty;
    clearTimeout(again);
    if (empty?.frees_at) again = setTimeout(fetchMore, Math.max(2000, new Date(empty.frees_at) - Date.now() + 1000));
    paintAhead();
  }
  function paintTrouble(error) {
    if (queue.length) return toast("warn", error.message);
    empty = error.status ? { title: error.status === 401 ? "Sign in again" : "No example came", sentence: `${error.message} ${box.waiting ? "Your answers are kept in this browser." : ""}` }
      : { title: "Offline", sentence: `The console cannot be reached and no more examples are here. ${box.waiting ? "Your answers are kept in this browser and sent when the line is back." : ""}` };
    paintEmpty();
    if (error.status === 401) toast("breach", "You were signed out. Reload the page to sign in; your answers are kept.");
    else again = setTimeout(fetchMore, 5000);
  }
  const hour = iso => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  function paintProgress() {
    $("#own").textContent = plural(progress.today, "answer") + (progress.mean_s ? `, ${progress.mean_s.toFixed(1)} s each` : "");
    $("#team").textContent = `${progress.labeled.toLocaleString("en")} of ${progress.examples.toLocaleString("en")}`;
    $("#team-bar").max = progress.examples || 1;
    $("#team-bar").value = progress.labeled;
  }
  function paintAhead() { $("#ahead").textContent = queue.length ? `${paintMs === null ? "" : `Answer to the next example: ${Math.round(paintMs)} ms, `}${Math.max(0, queue.length - 1)} prefetched` : ""; }
  function paintOutbox({ waiting, since, trouble }) {
    const mark = (kind, icon, words) => { $("#outbox").innerHTML = `<span class="st ${kind}"><svg class="i" aria-hidden="true"><use href="#i-${icon}"/></svg></span>`; $("#outbox .st").append(words); };
    if (trouble) mark("warn pill", "offline", `${plural(waiting, "answer")} waiting to be sent`);
    else if (!waiting) mark("ok", "ok", "All answers saved");
    if (!waiting || trouble) { clearInterval(slow); slow = null; }  // an answer on its way is normal; a slow one is not "saved"
    else slow ??= setInterval(() => mark("running", "right", `${plural(box.waiting, "answer")} on the way`), SLOW_MS);
    $("#waiting").hidden = !trouble;
    $("#waiting").textContent = !trouble ? "" : trouble.status === 401 || trouble.status === 403 ? "You were signed out. Reload the page to sign in: your answers are kept in this browser."
      : `Not connected since ${hour(since)}. Keep going: answers are kept in this browser and sent when the line is back. ${queue.length > 1 ? `${plural(queue.length - 1, "more example")} already here.` : ""}`;
  }
  function paintPast() {
    $("#undo").disabled = !past.length;
    $("#undo-list").replaceChildren(...past.map((p, i) => {
      const row = document.createElement("li");
      row.appendChild(document.createElement("span")).textContent = p.summary;
      row.appendChild(Object.assign(document.createElement("time"), { className: "dimmer", dateTime: p.at })).textContent = hour(p.at);
      row.appendChild(document.createElement("b")).textContent = p.answer;
      if (i === 0) row.appendChild(document.createElement("kbd")).textContent = "Z";
      return row;
    }));
  }

  // --- keys and clicks
  addEventListener("keydown", event => {
    const find = $("#find");
    if (event.target === find) {
      if (event.key === "Enter") { $("#picks .pick")?.click(); find.blur(); event.preventDefault(); }
      if (event.key === "Escape") { find.value = ""; find.blur(); paintPicks(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || $("dialog[open]") || event.target.closest("input, textarea, select")) return;
    const place = event.code.replace("Numpad", "Digit");
    const done = act => { event.preventDefault(); act(); };
    if ($("#skip").open) {
      const button = [...document.querySelectorAll("[data-skip]")].find((_, i) => place === `Digit${i + 1}`);
      return button ? done(() => skip(button)) : place === "KeyX" ? done(() => { $("#skip").open = false; }) : undefined;
    }
    if (event.key === "/" && find) return done(() => find.focus());
    if (place === "KeyZ") return done(undo);
    if (place === "KeyG") return done(() => { $("#guidelines").open = !$("#guidelines").open; });
    if (!queue.length) return;
    if (place === "KeyX") return done(() => { $("#skip").open = true; });
    if (place === "Space" && !event.target.closest(":is(button, a, summary):focus-visible")) return done(() => queue[0].suggestion && label(queue[0].suggestion.label));
    if (event.shiftKey) return;
    const pick = offered().find(l => l.key && codeOf(l.key) === place);
    if (pick) done(() => label(pick.name));
  });
  desk.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    if (event.detail) button.blur();  // a mouse click: the next Space belongs to the suggestion
    if (button.dataset.label !== undefined) label(button.dataset.label);
    else if (button.dataset.skip) skip(button);
    else if (button.id === "undo") undo();
    else if (button.closest("#guess") && queue[0]?.suggestion) label(queue[0].suggestion.label);
    else if (button.closest("#empty")) { empty = null; paintEmpty(); fetchMore(); }
  });
  $("#find")?.addEventListener("input", paintPicks);

  // --- leases: renewed while somebody looks, given back when the page goes
  const leases = () => queue.map(a => [String(a.id), a.token]);
  async function renew() {
    if (document.hidden || !queue.length) return;
    const asked = new Set(queue.map(a => a.id));
    const { held } = await post(desk.dataset.renew, { leases: leases() }).catch(() => ({ held: null }));
    if (!held) return;
    queue = queue.filter((a, i) => i === 0 || !asked.has(a.id) || held.includes(a.id));  // the one on screen still counts when late
    paintAhead();
  }
  setInterval(renew, RENEW_MS);
  document.addEventListener("visibilitychange", () => { settle(); clock.visible = !document.hidden; if (clock.visible) { touch(); renew(); } });
  addEventListener("pagehide", () => { if (queue.length) post(desk.dataset.release, { leases: leases() }, { keepalive: true }).catch(() => {}); });
  addEventListener("pageshow", event => { if (event.persisted) { queue = []; empty = null; fetchMore(); } });
  document.body.addEventListener("live:queue", () => { if (!queue.length) { clearTimeout(again); again = setTimeout(fetchMore, 300 * Math.random()); } });
  document.body.addEventListener("live:reconnected", () => { box.flush(); if (!queue.length) fetchMore(); });

  if (matchMedia("(min-width: 1001px)").matches) $("#guidelines").open = true;
  paintProgress();
  paintPast();
  paintOutbox({ waiting: box.waiting });
  fetchMore();
})();
