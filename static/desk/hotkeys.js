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

const PLAIN = { ø: "o", ł: "l", đ: "d", ı: "i", ß: "ss", æ: "ae", œ: "oe" }; // letters that no accent can be taken off

/** Words apart by one blank, without case, accents and what joins them: "Carte_arrivée" is "carte arrivee". @param {string} text */
export const folded = text =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .replace(/[øłđıßæœ]/g, letter => PLAIN[/** @type {keyof typeof PLAIN} */ (letter)])
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/** Whether each typed word begins a word of the name, another for each; or all of them in one, as "cardarr". @param {string} name @param {string} typed */
function begins(name, typed) {
  const words = name.split(" ");
  if (words.some((_, i) => words.slice(i).join("").startsWith(typed.replaceAll(" ", "")))) return true;
  const left = [...words];
  return typed.split(" ").every(part => {
    const at = left.findIndex(word => word.startsWith(part));
    return at >= 0 && left.splice(at, 1).length === 1;
  });
}

/** Labels by the beginnings of their words; where none has them, as in scripts without blanks, those that hold the letters. @param {Label[]} labels @param {string} typed */
function matching(labels, typed) {
  const wanted = folded(typed);
  const found = labels.filter(l => begins(folded(l.name), wanted));
  return found.length ? found : labels.filter(l => folded(l.name).includes(wanted));
}

/**
 * The labels that the grid offers, with their keys: all, or the twelve nearest A to Z, or those that are typed, the nearest first.
 * @param {Label[]} labels
 * @param {{ nearest: string[], typed: string }} given
 * @returns {(Label & { key: string })[]}
 */
export function offered(labels, { nearest, typed }) {
  if (labels.length <= MOST_PICKS) return labels.map(l => ({ ...l, key: l.hotkey }));
  if (folded(typed)) {
    const near = (/** @type {Label} */ l) => (nearest.includes(l.name) ? nearest.indexOf(l.name) : nearest.length);
    return matching(labels, typed)
      .sort((a, b) => near(a) - near(b))
      .slice(0, MOST_PICKS)
      .map(l => ({ ...l, key: "" }));
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
