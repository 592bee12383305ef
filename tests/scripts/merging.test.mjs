import assert from "node:assert/strict";
import test from "node:test";
import { counted, labelsOf } from "../../static/desk/counting.js";
import { merged } from "../../static/desk/merging.js";

const known = ["b", "a"].map(id => ({ client_id: id, answer: `old ${id}` }));
const row = (kind, id, more = {}) => ({ id, kind, body: { client_id: id }, entry: { answer: `new ${id}` }, ...more });
const ids = entries => entries.map(entry => entry.client_id);

test("an answer that waits stands on top, once", () => {
  assert.deepEqual(ids(merged(known, [row("answer", "c"), row("answer", "d")])), ["d", "c", "b", "a"]);
  const twice = merged(known, [row("answer", "b")]);
  assert.deepEqual(ids(twice), ["b", "a"]);
  assert.equal(twice[0].answer, "old b", "the console has it already");
});

test("an edit that waits replaces the answer it is of", () => {
  const found = merged(known, [row("edit", "e", { body: { of: "a" } })]);
  assert.deepEqual(ids(found), ["e", "b"]);
  assert.equal(found[0].answer, "new e");
});

test("an undo that waits takes its answer away and is no answer", () => {
  assert.deepEqual(ids(merged(known, [row("undo", "u", { body: { client_id: "b" } })])), ["a"]);
});

test("what was given, changed and undone without a line comes out as nothing", () => {
  const rows = [
    row("answer", "c"),
    row("edit", "e", { body: { of: "c" } }),
    row("undo", "u", { body: { client_id: "e" } }),
  ];
  assert.deepEqual(ids(merged(known, rows)), ["b", "a"]);
});

test("marks are counted by label, in the order of the first of each", () => {
  const marks = ["person", "place", "person"].map(label => ({ label }));
  assert.equal(counted(marks), "2 person, 1 place");
  assert.deepEqual(labelsOf(marks), ["person", "place"]);
  assert.equal(counted([]), "");
});
