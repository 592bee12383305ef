// @ts-check
// An example on screen, from the template of its kind. What people wrote is text, never HTML.

import { $$, el } from "../dom.js";

/** @param {DocumentFragment} shape @param {ExampleShown} example @param {(url: string) => HTMLImageElement | undefined} image */
export function fill(shape, example, image) {
  for (const spot of $$("[data-fill]", shape)) {
    const value = example[spot.dataset.fill];
    if (spot instanceof HTMLImageElement) picture(spot, value, example, image(value));
    else if (Array.isArray(value)) spot.append(...value.map(fact));
    else spot.textContent = value ?? "";
  }
  return shape;
}

/** @param {[string, unknown]} column */
const fact = ([name, cell]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(cell ?? gettext("empty"))));

/**
 * The very element that was fetched ahead, so that it is painted in the same frame.
 * @param {HTMLImageElement} spot @param {string} url @param {Size} size @param {HTMLImageElement} [ready]
 */
function picture(spot, url, { width, height }, ready) {
  const shown = ready ?? Object.assign(new Image(), { src: url });
  for (const { name, value } of spot.attributes) {
    if (name !== "data-fill" && name !== "src") shown.setAttribute(name, value);
  }
  if (width && height) Object.assign(shown, { width, height });
  shown.draggable = true;
  spot.replaceWith(shown);
}

/** Call `then` once what is on the page now has been painted. @param {() => void} then */
export function afterPaint(then) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(0);
  });
}
