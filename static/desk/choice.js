// @ts-check
// One label: its key is the answer. Of two texts the better one is this too, and a tie, and both bad.

import { picks } from "./picks.js";
import { say } from "../words.js";

export const atOnce = true; // a key answers; there is nothing to send
/** @param {{ label: string }} value */
export const words = value => value.label;
/** @param {{ label: string }} value */
export const labelsIn = value => [value.label];

/** @type {Kind["mount"]} */
export function mount(root, { labels, nearest, value, shown, answer }) {
  const grid = picks(root, {
    labels,
    nearest,
    shown,
    words: label => say(gettext("Answer %(label)s"), { label }),
    pressed: name => (value ? value.label === name : undefined),
    onPick: (name, event) => answer({ label: name }, event),
  });
  return {
    value: () => value ?? null,
    changed: () => false,
    get keys() {
      return grid.keys;
    },
    repaint: grid.paint,
  };
}
