// JSON to and from the console. What went wrong is an Error with `status` (0: no line), `code` and a sentence.

import { say } from "./words.js";

const PATIENCE_MS = 20_000;

export async function call(url, body, { keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  const asked = { headers, keepalive, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  if (body !== undefined) {
    Object.assign(asked, { method: "POST", body: JSON.stringify(body) });
    Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": window.fastloop.csrf() });
  }
  let response, json = null;
  try {
    response = await fetch(url, asked);
    if (response.headers.get("content-type")?.includes("json")) json = await response.json();
  } catch {
    throw trouble(0, "offline", say("unreachable"));
  }
  if (response.ok && json) return json;
  if (response.ok) throw trouble(401, "signed_out", say("signed_out"));  // sent on to a page: the one to sign in
  if (response.status === 403 && !json) throw trouble(403, "old_token", say("signed_out"));
  throw trouble(response.status, json?.code, json?.error || say("answered_status", { status: response.status }));
}

function trouble(status, code, sentence) {
  return Object.assign(new Error(sentence), { status, code });
}
