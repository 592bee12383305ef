import assert from "node:assert/strict";
import test from "node:test";
import { Text, overlap, pieces, spanAt, withSpan } from "../../static/desk/text.js";

const family = "👨‍👩‍👧"; // five code points, one sign

test("places are code points, whatever JavaScript's length says", () => {
  const text = new Text("a😀b");
  assert.equal(text.length, 3);
  assert.equal(text.slice(1, 2), "😀");
  assert.deepEqual(text.signs, [0, 1, 2]);
});

test("words carry their places and blanks are none", () => {
  const text = new Text("Ada  met 😀 Grace");
  assert.deepEqual(
    text.words.map(({ start, end, text: word }) => [start, end, word]),
    [
      [0, 3, "Ada"],
      [5, 8, "met"],
      [9, 10, "😀"],
      [11, 16, "Grace"],
    ],
  );
});

test("a stretch loses the blanks at its ends, and of blanks alone nothing is left", () => {
  const text = new Text("  ab c ");
  assert.deepEqual(text.trimmed(0, 7), { start: 2, end: 6 });
  assert.equal(text.trimmed(0, 2), null);
});

test("the word at a point is the one that holds it or the next; beyond the end it is the last", () => {
  const text = new Text("one two");
  assert.deepEqual(
    [0, 2, 3, 4, 7, 99].map(point => text.wordAt(point)),
    [0, 0, 1, 1, 1, 1],
  );
});

test("a step by letters jumps over what a reader sees as one", () => {
  const text = new Text(`a${family}b`);
  assert.equal(text.signFrom(1, 1), 6);
  assert.equal(text.signFrom(6, -1), 1);
  assert.equal(text.signFrom(6, 1), 7, "the end counts as one");
  assert.equal(text.signFrom(0, -1), 0);
});

test("stretches that only touch do not overlap", () => {
  assert.equal(overlap({ start: 0, end: 3 }, { start: 3, end: 5 }), false);
  assert.equal(overlap({ start: 3, end: 5 }, { start: 0, end: 3 }), false);
  assert.equal(overlap({ start: 0, end: 4 }, { start: 3, end: 5 }), true);
});

test("pieces cover the text in order and are cut at every end", () => {
  const cut = pieces(10, [
    { start: 2, end: 6 },
    { start: 4, end: 10 },
  ]);
  assert.deepEqual(
    cut.map(({ start, end }) => [start, end]),
    [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 10],
    ],
  );
});

const ada = { start: 0, end: 3, label: "person" },
  town = { start: 10, end: 16, label: "place" };

test("a new span is set in its place", () => {
  const found = withSpan([ada, town], { start: 5, end: 8 }, "verb");
  assert.deepEqual(found.spans, [ada, { start: 5, end: 8, label: "verb" }, town]);
  assert.deepEqual(found.named, { start: 5, end: 8, label: "verb" });
});

test("a stretch within a span renames the whole span and leaves the old list alone", () => {
  const before = [ada, town];
  assert.deepEqual(withSpan(before, { start: 1, end: 2 }, "name").spans, [{ ...ada, label: "name" }, town]);
  assert.equal(before[0].label, "person");
});

test("a stretch that sticks out of a span is refused with what lies in the way", () => {
  assert.deepEqual(withSpan([ada, town], { start: 8, end: 12 }, "verb"), { clash: town });
});

test("the span at a stretch holds all of it; nothing chosen, none", () => {
  assert.equal(spanAt([ada, town], { start: 10, end: 16 }), town);
  assert.equal(spanAt([ada, town], { start: 2, end: 4 }), undefined);
  assert.equal(spanAt([ada, town], null), undefined);
});
