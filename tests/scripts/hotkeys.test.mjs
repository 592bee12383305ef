import assert from "node:assert/strict";
import test from "node:test";
import { aliases, bindingOf, codeOf, codesOf, folded, offered } from "../../static/desk/hotkeys.js";

const label = (name, hotkey = "") => ({ name, hotkey, color: "" });
const many = Array.from({ length: 14 }, (_, i) => label(`n${i + 1}`));
const press = (code, more = {}) => {
  return { code, key: code, shiftKey: false, ctrlKey: false, altKey: false, repeat: false, ...more };
};

test("a key has its place on the keyboard", () => {
  assert.deepEqual(["7", "q", "Q", "Enter", "/"].map(codeOf), ["Digit7", "KeyQ", "KeyQ", "Enter", "/"]);
});

test("a label of one letter answers to that letter too, unless it is taken", () => {
  assert.deepEqual(aliases([label("a", "1"), label("b", "2")]), [
    { name: "a", code: "KeyA" },
    { name: "b", code: "KeyB" },
  ]);
  assert.deepEqual(aliases([label("a", "1"), label("other", "a")]), []);
});

test("labels with letters for keys answer to their numbers too", () => {
  assert.deepEqual(aliases([label("ham", "h"), label("spam", "s")]), [
    { name: "ham", code: "Digit1" },
    { name: "spam", code: "Digit2" },
  ]);
  assert.deepEqual(aliases([label("ham", "h"), label("spam", "1")]), [], "a number is a label's own already");
});

test("the taken keys are those of the labels, or of the grid where there are more than twelve", () => {
  assert.deepEqual([...codesOf([label("ham", "h")])], ["KeyH", "Digit1"]);
  assert.deepEqual([...codesOf(many)].slice(0, 5), ["Digit1", "Digit2", "Digit3", "Digit4", "KeyQ"]);
  assert.equal(codesOf(many).size, 12);
});

test("up to twelve labels are offered as they are, with their own keys", () => {
  assert.deepEqual(offered([label("ham", "h")], { nearest: [], typed: "x" }), [{ ...label("ham", "h"), key: "h" }]);
});

test("of more labels the nearest twelve are offered A to Z, numbers by their size", () => {
  const found = offered(many, { nearest: ["n14", "unknown", "n2"], typed: "" });
  assert.equal(found.length, 12);
  assert.deepEqual(found.map(l => l.name).slice(0, 3), ["n1", "n2", "n3"]);
  assert.equal(found.at(-1).name, "n14");
  assert.deepEqual([found[0].key, found[4].key, found[11].key], ["1", "Q", "F"]);
});

test("typed letters find labels by name, and those have no key", () => {
  const found = offered(many, { nearest: [], typed: "n1" });
  assert.deepEqual(
    found.map(l => l.name),
    ["n1", "n10", "n11", "n12", "n13", "n14"],
  );
  assert.ok(found.every(l => l.key === ""));
});

const names = [
  "card_arrival",
  "card_payment_fee_charged",
  "top-up reverted",
  "Réclamation Łódź",
  "activateMyCard",
  "arrival_of_post",
  ...Array.from({ length: 8 }, (_, i) => `other ${i}`),
].map(name => label(name));
const find = (typed, nearest = []) => offered(names, { nearest, typed }).map(l => l.name);

test("labels are found by the beginnings of their words, whatever joins them", () => {
  assert.deepEqual(find("card arr"), ["card_arrival"]);
  assert.deepEqual(find("arr card"), ["card_arrival"]);
  assert.deepEqual(find("cardarr"), ["card_arrival"]);
  assert.deepEqual(find("CARD-FEE"), ["card_payment_fee_charged"]);
  assert.deepEqual(find("topup rev"), ["top-up reverted"]);
  assert.deepEqual(find("reclam lodz"), ["Réclamation Łódź"]);
  assert.deepEqual(find("my card"), ["activateMyCard"]);
  assert.deepEqual(find("card card"), [], "one word of the name is not two typed ones");
});

test("of those that are found the nearest stand on top; nothing but joints is nothing typed", () => {
  assert.deepEqual(find("arr"), ["card_arrival", "arrival_of_post"]);
  assert.deepEqual(find("arr", ["arrival_of_post"]), ["arrival_of_post", "card_arrival"]);
  assert.equal(folded(" _- "), "");
  assert.equal(find(" _- ").length, 12);
});

test("letters inside a word find it where no word begins so, as in scripts without blanks", () => {
  assert.deepEqual(find("ivated"), []);
  assert.deepEqual(find("ctivate"), ["activateMyCard"]);
  const chinese = [...names, label("到货延迟")];
  assert.deepEqual(
    offered(chinese, { nearest: [], typed: "延迟" }).map(l => l.name),
    ["到货延迟"],
  );
});

test("the first binding wins; a number pad and Backspace count as the keys they stand for", () => {
  const bindings = [
    { code: "Digit1", name: "a" },
    { code: "Digit1", name: "b" },
    { code: "Delete", name: "c" },
  ];
  assert.equal(bindingOf(bindings, press("Digit1"), false).name, "a");
  assert.equal(bindingOf(bindings, press("Numpad1"), false).name, "a");
  assert.equal(bindingOf(bindings, press("Backspace"), false).name, "c");
  assert.equal(bindingOf([{ code: "Enter" }], press("NumpadEnter"), false).code, "Enter");
});

test("Shift counts where a binding says so, Ctrl or Alt only where it is asked for", () => {
  const bindings = [
    { code: "KeyF", shift: true, name: "flag" },
    { code: "KeyF", shift: false, name: "label" },
    { code: "Home", fine: true },
  ];
  assert.equal(bindingOf(bindings, press("KeyF", { shiftKey: true }), false).name, "flag");
  assert.equal(bindingOf(bindings, press("KeyF"), false).name, "label");
  assert.equal(bindingOf(bindings, press("KeyF", { ctrlKey: true }), false), undefined);
  assert.equal(bindingOf(bindings, press("Home"), false), undefined);
  assert.equal(bindingOf(bindings, press("Home", { altKey: true }), false).code, "Home");
});

test("a key that is held down repeats only what may repeat", () => {
  const bindings = [{ code: "KeyZ" }, { code: "ArrowUp", repeat: true }];
  assert.equal(bindingOf(bindings, press("KeyZ", { repeat: true }), false), undefined);
  assert.equal(bindingOf(bindings, press("ArrowUp", { repeat: true }), false).code, "ArrowUp");
});

test("signs are found by what they write, wherever they stand", () => {
  assert.equal(bindingOf([{ code: "/" }], press("Digit7", { key: "/", shiftKey: true }), false).code, "/");
});

test("with single characters off, arrows, Enter and Esc still work", () => {
  const bindings = ["KeyF", "Digit1", "Space", "/", "Equal", "Enter", "Escape", "ArrowUp"].map(code => ({ code }));
  const works = code => bindingOf(bindings, press(code), true) !== undefined;
  assert.deepEqual(
    bindings.map(b => works(b.code)),
    [false, false, false, false, false, true, true, true],
  );
});
