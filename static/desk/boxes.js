// Named rectangles on an image, drawn by pointer or made, moved and sized wholly by keys.

import { Canvas } from "./canvas.js";
import { inTheMiddle, inside, moved, resized, stride } from "./frame.js";
import { $ } from "./dom.js";
import { picks } from "./picks.js";
import { many, number, say } from "./words.js";

export const words = value => counted(value.boxes) || say("no_boxes");
export const labelsIn = value => [...new Set(value.boxes.map(box => box.label))];
export const none = () => ({ boxes: [] });
export const sendWords = value => (value.boxes.length ? many("send_boxes", value.boxes.length) : say("send_no_box"));
export const sureWords = () => say("sure_no_box");

function counted(boxes) {
  const times = new Map();
  for (const { label } of boxes) times.set(label, (times.get(label) || 0) + 1);
  return [...times].map(([label, n]) => `${n} ${label}`).join(", ");
}

export function mount(root, { labels, nearest, example, value, suggestion, shown, stage, onChange, tell, free }) {
  const image = { width: example.width, height: example.height };
  const isOffered = name => labels.some(l => l.name === name);
  let boxes = (value?.boxes || []).map(box => ({ ...box })), touched = false, active = -1, last = labels.length === 1 ? labels[0].name : "";

  const dressed = (box, i) => {
    const called = !box.label ? "" : isOffered(box.label) ? box.label : say("label_retired", { label: box.label });
    const place = { n: i + 1, label: called || say("box_unnamed"), x: number(box.x), y: number(box.y), width: number(box.width), height: number(box.height) };
    return { ...box, words: called, color: labels.find(l => l.name === box.label)?.color, name: say("box_name", place) };
  };
  function paint() {
    const ghosts = !touched && !boxes.length && suggestion ? suggestion.value.boxes : [];
    canvas.paint(boxes.map(dressed), active, ghosts.map(dressed), choose);
    const own = boxes[active];
    $("[data-chosen]", root).textContent = own ? dressed(own, active).name : say("draw_a_box");
    $("[data-remove]", root).hidden = !own;
    grid?.paint();
  }
  function changed() { touched = true; paint(); onChange(); }
  function choose(place) {
    active = place;
    paint();
    return boxes[place] ? { ...boxes[place] } : null;
  }
  function add(box) {
    boxes.push({ ...box, label: last });
    active = boxes.length - 1;
    changed();
    canvas.focus(active);
    tell(last ? say("box_made_named", { label: last }) : say("box_made"));
  }
  const canvas = new Canvas(stage, {
    image, label: say("boxes_label"), element: $("img", stage),
    onDraw: add,
    onChoose(place) { const box = choose(place); if (place >= 0) canvas.focus(place); return box; },
    onShape(place, box) { boxes[place] = box; touched = true; paint(); },
    onShaped: () => onChange(),
  });

  function name(label) {
    const own = boxes[active];
    if (!own) return tell(say("choose_box_first"), true);
    own.label = last = label;
    changed();
    tell(dressed(own, active).name);
  }
  function remove() {
    if (!boxes[active]) return false;
    boxes.splice(active, 1);
    active = Math.min(active, boxes.length - 1);
    changed();
    if (active >= 0) canvas.focus(active);
    return tell(many("boxes_left", boxes.length));
  }
  function shift(dx, dy, size) {
    const own = boxes[active];
    if (!own) return false;
    boxes[active] = size ? resized(own, "es", dx, dy, image) : moved(own, dx, dy, image);
    changed();
    return tell(dressed(boxes[active], active).name);
  }
  const arrows = [["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]];
  const shown4 = arrows.map(([code]) => code);
  const ways = [[false, false, "keys_move"], [true, false, "keys_size"], [false, true, "keys_move_fine"], [true, true, "keys_size_fine"]];
  const moves = ways.flatMap(([shiftKey, fine, listed]) => arrows.map(([code, x, y], i) => ({
    code, shift: shiftKey, fine, repeat: true, shown: shown4, words: i ? "" : say(listed),
    act: () => { const by = fine ? 1 : stride(image); return shift(x * by, y * by, shiftKey); },
  })));
  const near = (code, words, act) => ({ code, words, act, repeat: true });
  const make = () => add(inTheMiddle(canvas.seen, image));

  for (const [spot, act] of [["make", make], ["remove", remove], ["nearer", () => canvas.zoom(1)], ["farther", () => canvas.zoom(-1)]]) $(`[data-${spot}]`, root).onclick = act;
  let grid = null;
  grid = picks(root, {
    labels, nearest, shown, onPick: name,
    words: label => say("keys_name_box", { label }),
    pressed: label => boxes[active]?.label === label,
  });
  const refit = () => canvas.refit();
  addEventListener("resize", refit);
  paint();

  return {
    value: () => ({ boxes: boxes.map(({ label, ...box }) => ({ ...inside(box, image), label })) }),
    changed: () => touched,
    take(given) { boxes = given.boxes.map(box => ({ ...box })); active = -1; changed(); },
    get keys() {
      return [...grid.keys, ...moves, { code: "KeyN", ...free("KeyN"), words: say("keys_new_box"), act: make },
        { code: "Tab", words: say("keys_walk_boxes"), act: () => false },
        { code: "Delete", words: say("keys_remove_box"), act: remove },
        near("+", say("keys_nearer"), () => canvas.zoom(1)), near("-", say("keys_farther"), () => canvas.zoom(-1)),
        near("Equal", "", () => canvas.zoom(1))];  // the same key without Shift, where it is one
    },
    refusal: () => { const unnamed = boxes.filter(box => !box.label).length; return unnamed ? many("boxes_unnamed", unnamed) : ""; },
    repaint: paint,
    dropRetired() { boxes = boxes.filter(box => isOffered(box.label)); active = -1; changed(); },
    unmount: () => removeEventListener("resize", refit),
  };
}
