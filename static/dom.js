// @ts-check
// A few lines around the DOM. What people wrote goes in as text, never as HTML.

/** What the page has there, typed by its use. @param {string} selector @param {ParentNode} root @returns {any} */
export const $ = (selector, root = document) => root.querySelector(selector);

/** @param {string} selector @param {ParentNode} root @returns {any[]} */
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** What the page gives as JSON. @param {string} id @returns {any} */
export const read = id => JSON.parse($(`#${id}`).textContent);

/**
 * el("button.pick", { type: "button" }, "words", child): properties by name, data-* and aria-* as attributes.
 * @param {string} kind
 * @param {Record<string, any>} values
 * @param {...(Node | string | null | undefined)} children
 */
export function el(kind, values = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  made.className = classes.join(" ");
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === false) continue;
    const isAttribute = name.includes("-") || name === "role" || name === "dir";
    if (isAttribute) made.setAttribute(name, value === true ? "" : value);
    else Object.assign(made, { [name]: value });
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} kind @param {string} name @param {string} words @param {...(Node | string)} more */
export const status = (kind, name, words, ...more) => el(`span.st.${kind}`, {}, icon(name), words, ...more);

/**
 * Whether an input method still composes: its Enter and Escape choose a word and mean nothing here. Safari ends the
 * composition before the press that ended it, and tells by the old number of the key.
 * @param {KeyboardEvent} event
 */
export const composing = event => event.isComposing || event.keyCode === 229;

/** Words that break where a name has a joint, and inside a word only where nothing else fits. @param {string} name */
export const jointed = name =>
  name.split(/(?<=[_\-/.:])(?=[^\s_\-/.:])/).flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));

/** Say it to a screen reader, politely; the same words twice are said twice. @param {string} words */
export function speak(words) {
  const speaker = $("#spoken");
  speaker.textContent = "";
  requestAnimationFrame(() => {
    speaker.textContent = words;
  });
}

/** A random id; plain http has no randomUUID. @returns {string} */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const digit = (/** @type {string} */ c) =>
    (Number(c) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(c) / 4)))).toString(16);
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, digit);
}
