// @ts-check
// Named rectangles on an image, drawn by pointer or made, moved and sized wholly by keys.

import { Canvas } from "./canvas.js";
import { counted, labelsOf } from "./counting.js";
import { $ } from "../dom.js";
import { inTheMiddle, inside, moved, resized, stride } from "./frame.js";
import { picks } from "./picks.js";
import { many, number, say } from "../words.js";

/** @typedef {{ boxes: Box[] }} Boxes */

/** @param {Boxes} value */
export const words = value => counted(value.boxes) || gettext("no boxes");
/** @param {Boxes} value */
export const labelsIn = value => labelsOf(value.boxes);
/** @param {Boxes} value */
export function sendWords({ boxes: { length: n } }) {
  return n ? many(ngettext("Send 1 box", "Send %(n)s boxes", n), n) : gettext("Nothing to box");
}
export const sureWords = () => gettext("There is no box. Press Enter again to say that nothing is to be boxed.");

/** @type {[string, number, number][]} */
const ARROWS = [
  ["ArrowLeft", -1, 0],
  ["ArrowRight", 1, 0],
  ["ArrowUp", 0, -1],
  ["ArrowDown", 0, 1],
];

/**
 * Arrows move, with Shift they resize, with Ctrl or Alt by one pixel.
 * @param {Size} image @param {(dx: number, dy: number, size: boolean) => any} shift @returns {Binding[]}
 */
function arrowKeys(image, shift) {
  const shown = ARROWS.map(([code]) => code);
  const ways = [
    { size: false, fine: false, words: gettext("Move the box") },
    { size: true, fine: false, words: gettext("Resize the box") },
    { size: false, fine: true, words: gettext("Move the box by one pixel") },
    { size: true, fine: true, words: gettext("Resize the box by one pixel") },
  ];
  return ways.flatMap(({ size, fine, words }) =>
    ARROWS.map(([code, x, y], i) => {
      const by = fine ? 1 : stride(image);
      const act = () => shift(x * by, y * by, size);
      return { code, shift: size, fine, repeat: true, shown, words: i ? "" : words, act };
    }),
  );
}

/** @type {Kind["mount"]} */
export function mount(root, { labels, nearest, example, value, suggestion, shown, stage, onChange, tell, free }) {
  const image = { width: example.width, height: example.height };
  const labelOf = (/** @type {string} */ name) => labels.find(l => l.name === name);
  /** @type {Box[]} */
  let boxes = (value?.boxes || []).map((/** @type {Box} */ box) => ({ ...box }));
  let touched = false,
    active = -1,
    last = labels.length === 1 ? labels[0].name : "";

  /** @param {Box} box @param {number} i */
  const dressed = (box, i) => {
    const label = labelOf(box.label);
    const retired = box.label ? say(gettext("%(label)s (retired)"), { label: box.label }) : "";
    const called = label ? label.name : retired;
    const name = say(gettext("Box %(n)s, %(label)s: %(width)s by %(height)s pixels at %(x)s, %(y)s"), {
      n: i + 1,
      label: called || gettext("no label yet"),
      x: number(box.x),
      y: number(box.y),
      width: number(box.width),
      height: number(box.height),
    });
    return { ...box, words: called, color: label?.color, name };
  };
  const told = () => tell(dressed(boxes[active], active).name);
  function paint() {
    const ghosts = !touched && !boxes.length && suggestion ? suggestion.value.boxes : [];
    const own = boxes[active];
    const how = gettext("Draw a box with the pointer, or make one with its key.");
    canvas.paint(boxes.map(dressed), active, ghosts.map(dressed), choose);
    $("[data-chosen]", root).textContent = own ? dressed(own, active).name : how;
    $("[data-remove]", root).hidden = !own;
    grid?.paint();
  }
  function changed() {
    touched = true;
    paint();
    onChange();
  }
  /** @param {number} place */
  function choose(place) {
    active = place;
    paint();
    return boxes[place] ? { ...boxes[place] } : null;
  }
  /** @param {Rect} box */
  function add(box) {
    boxes.push({ ...box, label: last });
    active = boxes.length - 1;
    changed();
    canvas.focus(active);
    const named = gettext("A new box, %(label)s. Another label renames it.");
    tell(last ? say(named, { label: last }) : gettext("A new box. A label names it."));
  }
  const canvas = new Canvas(stage, {
    image,
    label: gettext("Boxes on the image"),
    element: $("img", stage),
    onDraw: add,
    onChoose(place) {
      const box = choose(place);
      if (place >= 0) canvas.focus(place);
      return box;
    },
    onShape(place, box) {
      boxes[place] = box;
      touched = true;
      paint();
    },
    onShaped: () => onChange(),
  });

  /** @param {string} label */
  function name(label) {
    const own = boxes[active];
    if (!own) return tell(gettext("Choose or draw a box first, then a label."), true);
    own.label = last = label;
    changed();
    return told();
  }
  function remove() {
    if (!boxes[active]) return false;
    boxes.splice(active, 1);
    active = Math.min(active, boxes.length - 1);
    changed();
    if (active >= 0) canvas.focus(active);
    const n = boxes.length;
    return tell(many(ngettext("Removed. 1 box is left.", "Removed. %(n)s boxes are left.", n), n));
  }
  /** @param {number} dx @param {number} dy @param {boolean} size */
  function shift(dx, dy, size) {
    const own = boxes[active];
    if (!own) return false;
    boxes[active] = size ? resized(own, "es", dx, dy, image) : moved(own, dx, dy, image);
    changed();
    return told();
  }
  const moves = arrowKeys(image, shift);
  const make = () => add(inTheMiddle(canvas.seen, image));
  const zoom = (/** @type {string} */ code, /** @type {string} */ words, /** @type {number} */ step) => {
    return { code, words, act: () => canvas.zoom(step), repeat: true };
  };

  $("[data-make]", root).onclick = make;
  $("[data-remove]", root).onclick = remove;
  $("[data-nearer]", root).onclick = () => canvas.zoom(1);
  $("[data-farther]", root).onclick = () => canvas.zoom(-1);
  /** @type {ReturnType<typeof picks> | null} */
  let grid = null;
  grid = picks(root, {
    labels,
    nearest,
    shown,
    onPick: name,
    words: label => say(gettext("Name the box %(label)s"), { label }),
    pressed: label => boxes[active]?.label === label,
  });
  const refit = () => canvas.refit();
  addEventListener("resize", refit);
  paint();

  return {
    value: () => ({ boxes: boxes.map(({ label, ...box }) => ({ ...inside(box, image), label })) }),
    changed: () => touched,
    /** @param {Boxes} given */
    take(given) {
      boxes = given.boxes.map(box => ({ ...box }));
      active = -1;
      changed();
    },
    get keys() {
      return [
        ...grid.keys,
        ...moves,
        { code: "KeyN", ...free("KeyN"), words: gettext("New box in the middle"), act: make },
        { code: "Tab", words: gettext("From box to box"), act: () => false },
        { code: "Delete", words: gettext("Remove the box"), act: remove },
        zoom("+", gettext("Zoom in"), 1),
        zoom("-", gettext("Zoom out"), -1),
        zoom("Equal", "", 1), // the same key without Shift, where it is one
      ];
    },
    refusal() {
      const n = boxes.filter(box => !box.label).length;
      const unnamed = ngettext(
        "One box has no label. Name it or remove it, then send.",
        "%(n)s boxes have no label. Name or remove them, then send.",
        n,
      );
      return n ? many(unnamed, n) : "";
    },
    repaint: paint,
    unmount: () => removeEventListener("resize", refit),
  };
}
