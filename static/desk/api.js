// @ts-check
// JSON to and from the console. What went wrong is an Error with `status` (0: no line), `code` and a sentence.

import { say } from "../words.js";

const PATIENCE_MS = 20_000;

/**
 * A GET without a body, else a POST.
 * @param {string} url
 * @param {object} [body]
 * @param {{ keepalive?: boolean }} [how] `keepalive` lets it outlive the page
 * @returns {Promise<any>}
 */
export async function call(url, body, { keepalive = false } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  /** @type {RequestInit} */
  const asked = { headers, keepalive, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  if (body !== undefined) {
    Object.assign(asked, { method: "POST", body: JSON.stringify(body) });
    Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": window.fastloop.csrf() });
  }
  let response,
    json = null;
  try {
    response = await fetch(url, asked);
    if (response.headers.get("content-type")?.includes("json")) json = await response.json();
  } catch {
    throw trouble(0, "offline", gettext("The console cannot be reached."));
  }
  if (response.ok && json) return json;
  const signedOut = gettext("You were signed out.");
  if (response.ok) throw trouble(401, "signed_out", signedOut); // sent on to a page: the one to sign in
  if (response.status === 403 && !json) throw trouble(403, "old_token", signedOut);
  const sentence = json?.error || say(gettext("The console answered %(status)s."), { status: response.status });
  throw trouble(response.status, json?.code, sentence);
}

/** @param {number} status @param {string | undefined} code @param {string} sentence @returns {Trouble} */
export function trouble(status, code, sentence) {
  return Object.assign(new Error(sentence), { status, code });
}
