// @ts-check
// Any number of labels: keys switch them on and off, Enter sends. That none fits is said on purpose.

import { picks } from "./picks.js";
import { many, say } from "../words.js";

/** @typedef {{ labels: string[] }} Labels */

/** @param {Labels} value */
export const words = value => value.labels.join(", ") || gettext("none of the labels");
/** @param {Labels} value */
export const labelsIn = value => value.labels;
/** @param {Labels} value */
export function sendWords({ labels: { length: n } }) {
  return n ? many(ngettext("Send 1 label", "Send %(n)s labels", n), n) : gettext("None fits");
}
export const sureWords = () => gettext("No label is on. Press Enter again to say that none fits.");

/** @type {Kind["mount"]} */
export function mount(root, { labels, nearest, value, shown, onChange, tell }) {
  /** @type {Set<string>} */
  let on = new Set(value?.labels || []);
  let touched = false;
  const ordered = () => labels.map(l => l.name).filter(name => on.has(name));
  const retired = () => [...on].filter(name => !labels.some(l => l.name === name));

  function changed() {
    touched = true;
    grid.paint();
    onChange();
  }
  /** @param {string} label */
  function toggle(label) {
    const isOn = !on.delete(label);
    if (isOn) on.add(label);
    changed();
    tell(say(isOn ? gettext("%(label)s is on.") : gettext("%(label)s is off."), { label }));
  }
  const grid = picks(root, {
    labels,
    nearest,
    shown,
    onPick: toggle,
    words: label => say(gettext("%(label)s on or off"), { label }),
    pressed: name => on.has(name),
  });
  return {
    value: () => ({ labels: [...ordered(), ...retired()] }),
    changed: () => touched,
    /** @param {Labels} given */
    take(given) {
      on = new Set(given.labels);
      changed();
    },
    get keys() {
      return grid.keys;
    },
    repaint: grid.paint,
  };
}
