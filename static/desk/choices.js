// Any number of labels: keys switch them on and off, Enter sends. That none fits is said on purpose.

import { picks } from "./picks.js";
import { many, say } from "./words.js";

export const words = value => value.labels.join(", ") || say("none_of_the_labels");
export const labelsIn = value => value.labels;
export const none = () => ({ labels: [] });
export const sendWords = value => (value.labels.length ? many("send_labels", value.labels.length) : say("send_no_label"));
export const sureWords = () => say("sure_no_label");

export function mount(root, { labels, nearest, value, shown, onChange, tell }) {
  let on = new Set(value?.labels || []), touched = false;
  const ordered = () => labels.map(l => l.name).filter(name => on.has(name));
  const retired = () => [...on].filter(name => !labels.some(l => l.name === name));

  function toggle(name) {
    const isOn = on.delete(name) ? false : Boolean(on.add(name));
    touched = true;
    grid.paint();
    onChange();
    tell(say(isOn ? "label_on" : "label_off", { label: name }));
  }
  const grid = picks(root, {
    labels, nearest, shown, onPick: toggle,
    words: name => say("keys_toggle", { label: name }),
    pressed: name => on.has(name),
  });
  return {
    value: () => ({ labels: [...ordered(), ...retired()] }),
    changed: () => touched,
    take(given) { on = new Set(given.labels); touched = true; grid.paint(); onChange(); },
    get keys() { return grid.keys; },
    repaint: grid.paint,
    dropRetired() { on = new Set(ordered()); grid.paint(); onChange(); },
  };
}
