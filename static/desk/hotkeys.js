// @ts-check
// Which key of the keyboard belongs to which label, and which of the desk's keys a press means.

export const MOST_PICKS = 12;
export const PLACES = [..."1234QWERASDF"]; // keys of the grid when the labels are more than it holds
const CHARACTER = /^(Digit|Key|Space$|Equal$|.$)/u;

/** "q" is KeyQ, "1" is Digit1; everything else is its own code. @param {string} key */
export const codeOf = key =>
  /^[0-9]$/.test(key) ? `Digit${key}` : /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key;

/** @param {string} name */
const isKey = name => /^[a-z0-9]$/i.test(name);

/**
 * A second key: the label’s own letter, or its number where no label has a number; where that key is free.
 * @param {Label[]} labels
 */
export function aliases(labels) {
  if (labels.length > MOST_PICKS) return [];
  const numbers = labels.length < 10 && !labels.some(l => /[0-9]/.test(l.hotkey));
  const named = (/** @type {Label} */ l) => isKey(l.name) && l.name.toUpperCase() !== l.hotkey.toUpperCase();
  return labels
    .map((l, i) => ({ name: l.name, key: named(l) ? l.name : numbers ? `${i + 1}` : "" }))
    .filter(({ key }) => key && !labels.some(other => other.hotkey.toUpperCase() === key.toUpperCase()))
    .map(({ name, key }) => ({ name, code: codeOf(key) }));
}

/** The keys that labels have, by place on the keyboard. @param {Label[]} labels */
export function codesOf(labels) {
  if (labels.length > MOST_PICKS) return new Set(PLACES.map(codeOf));
  const own = labels.filter(l => l.hotkey).map(l => codeOf(l.hotkey));
  return new Set([...own, ...aliases(labels).map(alias => alias.code)]);
}

/**
 * The labels that the grid offers, with their keys: all, or the twelve nearest A to Z, or those with the typed letters.
 * @param {Label[]} labels
 * @param {{ nearest: string[], typed: string }} given
 * @returns {(Label & { key: string })[]}
 */
export function offered(labels, { nearest, typed }) {
  if (labels.length <= MOST_PICKS) return labels.map(l => ({ ...l, key: l.hotkey }));
  if (typed) {
    const found = labels.filter(l => l.name.toLowerCase().includes(typed));
    return found.slice(0, MOST_PICKS).map(l => ({ ...l, key: "" }));
  }
  const near = nearest.flatMap(name => labels.find(l => l.name === name) ?? []);
  const twelve = [...near, ...labels.filter(l => !near.includes(l))].slice(0, MOST_PICKS);
  twelve.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return twelve.map((l, i) => ({ ...l, key: PLACES[i] }));
}

/**
 * The first binding that a press means. With `charactersOff` the keys that are single characters mean nothing.
 * @param {Binding[]} bindings by precedence
 * @param {Pick<KeyboardEvent, "code" | "key" | "shiftKey" | "ctrlKey" | "altKey" | "repeat">} event
 * @param {boolean} charactersOff
 */
export function bindingOf(bindings, event, charactersOff) {
  const code = event.code
    .replace(/^Numpad(?=[0-9])/, "Digit")
    .replace("NumpadEnter", "Enter")
    .replace("Backspace", "Delete");
  const fine = event.ctrlKey || event.altKey;
  return bindings.find(
    b =>
      (b.code === code || (b.code.length === 1 && b.code === event.key.toUpperCase())) &&
      (b.shift === undefined || b.shift === event.shiftKey) &&
      Boolean(b.fine) === fine &&
      (!event.repeat || b.repeat) &&
      !(charactersOff && CHARACTER.test(b.code)),
  );
}
