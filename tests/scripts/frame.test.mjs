import assert from "node:assert/strict";
import test from "node:test";
import { between, inTheMiddle, inside, moved, resized, stride } from "../../static/desk/frame.js";

const image = { width: 100, height: 50 };
const box = { x: 10, y: 10, width: 20, height: 10, label: "cat" };

test("a box lies between two corners, whichever was drawn first, on whole pixels", () => {
  const expected = { x: 10, y: 5, width: 20, height: 15 };
  assert.deepEqual(between({ x: 10.4, y: 4.6 }, { x: 29.6, y: 20 }, image), expected);
  assert.deepEqual(between({ x: 29.6, y: 20 }, { x: 10.4, y: 4.6 }, image), expected);
});

test("what is drawn beyond the image is clipped to it, and a box has at least one pixel", () => {
  assert.deepEqual(between({ x: -9, y: -9 }, { x: 999, y: 999 }, image), { x: 0, y: 0, width: 100, height: 50 });
  assert.deepEqual(between({ x: 100, y: 50 }, { x: 100, y: 50 }, image), { x: 99, y: 49, width: 1, height: 1 });
});

test("a moved box keeps its size and its label and never leaves the image", () => {
  assert.deepEqual(moved(box, 5, -3, image), { ...box, x: 15, y: 7 });
  assert.deepEqual(moved(box, 500, 500, image), { ...box, x: 80, y: 40 });
  assert.deepEqual(moved(box, -500, -500, image), { ...box, x: 0, y: 0 });
});

test("only the edges that are pulled follow", () => {
  assert.deepEqual(resized(box, "es", 5, 2, image), { ...box, width: 25, height: 12 });
  assert.deepEqual(resized(box, "nw", 5, 2, image), { ...box, x: 15, y: 12, width: 15, height: 8 });
});

test("an edge stops at the image and one pixel before the other edge", () => {
  assert.deepEqual(resized(box, "es", 500, 500, image), { ...box, width: 90, height: 40 });
  assert.deepEqual(resized(box, "nw", 500, 500, image), { ...box, x: 29, y: 19, width: 1, height: 1 });
  assert.deepEqual(resized(box, "nw", -500, -500, image), { ...box, x: 0, y: 0, width: 30, height: 20 });
});

test("a new box is a quarter of what is in view, in its middle", () => {
  assert.deepEqual(inTheMiddle({ x: 20, y: 10, width: 40, height: 16 }, image), { x: 35, y: 16, width: 10, height: 4 });
});

test("an arrow goes a hundredth of the longer side, at least a pixel", () => {
  assert.equal(stride({ width: 1920, height: 1080 }), 19);
  assert.equal(stride({ width: 8, height: 8 }), 1);
});

test("a box that lies partly outside comes inside", () => {
  assert.deepEqual(inside({ x: 90, y: 40, width: 30, height: 30 }, image), { x: 90, y: 40, width: 10, height: 10 });
});
