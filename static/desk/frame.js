// @ts-check
// Rectangles in pixels of the original image: moved, resized and drawn without ever leaving it.

const LEAST = 1; // pixel

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

/**
 * The box between two corners, on whole pixels, clipped to the image.
 * @param {Point} a @param {Point} b @param {Size} image @returns {Rect}
 */
export function between(a, b, { width, height }) {
  const left = clamp(Math.round(Math.min(a.x, b.x)), 0, width - LEAST);
  const top = clamp(Math.round(Math.min(a.y, b.y)), 0, height - LEAST);
  const right = clamp(Math.round(Math.max(a.x, b.x)), left + LEAST, width);
  const bottom = clamp(Math.round(Math.max(a.y, b.y)), top + LEAST, height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** @template {Rect} T @param {T} box @param {number} dx @param {number} dy @param {Size} image @returns {T} */
export function moved(box, dx, dy, image) {
  const x = clamp(box.x + dx, 0, image.width - box.width);
  return { ...box, x, y: clamp(box.y + dy, 0, image.height - box.height) };
}

/**
 * `edges` holds some of n, e, s, w: those that follow the pointer or the arrow.
 * @template {Rect} T
 * @param {T} box @param {string} edges @param {number} dx @param {number} dy @param {Size} image @returns {T}
 */
export function resized(box, edges, dx, dy, image) {
  let [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
  if (edges.includes("w")) left = clamp(left + dx, 0, right - LEAST);
  if (edges.includes("e")) right = clamp(right + dx, left + LEAST, image.width);
  if (edges.includes("n")) top = clamp(top + dy, 0, bottom - LEAST);
  if (edges.includes("s")) bottom = clamp(bottom + dy, top + LEAST, image.height);
  return { ...box, x: left, y: top, width: right - left, height: bottom - top };
}

/** A quarter of what is in view, in its middle. @param {Rect} seen @param {Size} image */
export function inTheMiddle({ x, y, width, height }, image) {
  const near = { x: x + (width * 3) / 8, y: y + (height * 3) / 8 };
  return between(near, { x: x + (width * 5) / 8, y: y + (height * 5) / 8 }, image);
}

/** How far an arrow goes: a hundredth of the longer side, at least a pixel. @param {Size} image */
export const stride = ({ width, height }) => Math.max(1, Math.round(Math.max(width, height) / 100));

/** @param {Rect} box @param {Size} image */
export const inside = ({ x, y, width, height }, image) => between({ x, y }, { x: x + width, y: y + height }, image);
