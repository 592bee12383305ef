// @ts-check
// The text of an example on screen: paints spans and the chosen stretch, and turns places of the pointer into code points.

import { el } from "../dom.js";
import { overlap, pieces } from "./text.js";

/** A span as it is painted. @typedef {Span & { color?: string, words: string }} Painted */

export class Paper {
  /** [text node, code point at which it starts]. @type {[globalThis.Text, number][]} */
  #nodes = [];

  /** @param {HTMLElement} root @param {import("./text.js").Text} text */
  constructor(root, text) {
    this.root = root;
    this.text = text;
  }

  /** @param {Painted[]} spans @param {Stretch | null} chosen @param {Painted[]} ghosts */
  paint(spans, chosen, ghosts = []) {
    const marks = [...spans, ...ghosts, ...(chosen ? [chosen] : [])];
    /** @type {(HTMLElement | globalThis.Text)[]} */
    const made = [];
    this.#nodes = [];
    /** @type {HTMLElement | null} */
    let group = null;
    /** @type {Painted | null} */
    let owner = null;
    for (const piece of pieces(this.text.length, marks)) {
      const span = spans.find(s => overlap(s, piece)) ?? ghosts.find(g => overlap(g, piece)) ?? null;
      const node = document.createTextNode(this.text.slice(piece.start, piece.end));
      this.#nodes.push([node, piece.start]);
      const part = chosen && overlap(chosen, piece) ? el("mark.chosen", {}, node) : node;
      if (!span) {
        made.push(part);
        group = owner = null;
        continue;
      }
      if (span !== owner || !group) {
        owner = span;
        group = el(ghosts.includes(span) ? "span.span.ghost" : "span.span", {});
        if (span.color) group.style.setProperty("--s", span.color);
        made.push(group);
      }
      group.append(part);
      if (piece.end === span.end) group.append(el("sup", { dir: "auto" }, span.words));
    }
    this.root.replaceChildren(...made);
  }

  /** Code point of a place in the DOM. @param {Node} node @param {number} offset */
  #point(node, offset) {
    const own = this.#nodes.find(([text]) => text === node);
    if (own) return own[1] + [...own[0].data.slice(0, offset)].length;
    const { DOCUMENT_POSITION_FOLLOWING: FOLLOWING, DOCUMENT_POSITION_PRECEDING: PRECEDING } = Node;
    const after = node.childNodes[offset];
    const stands = (/** @type {Node} */ from, /** @type {Node} */ text, /** @type {number} */ where) =>
      from.contains(text) || from.compareDocumentPosition(text) & where;
    const next = after && this.#nodes.find(([text]) => stands(after, text, FOLLOWING));
    if (next) return next[1];
    const last = this.#nodes.filter(([text]) => stands(node, text, PRECEDING)).at(-1);
    return last ? last[1] + [...last[0].data].length : 0;
  }

  /** What the browser's own selection covers of this text, or null. */
  selected() {
    const now = getSelection();
    if (!now?.rangeCount || now.isCollapsed) return null;
    const range = now.getRangeAt(0);
    if (!this.root.contains(range.commonAncestorContainer)) return null;
    const start = this.#point(range.startContainer, range.startOffset);
    return this.text.trimmed(start, this.#point(range.endContainer, range.endOffset));
  }

  /** Code point under a place of the window, or null beside the text. @param {number} x @param {number} y */
  at(x, y) {
    const place = /** @type {any} */ (document).caretPositionFromPoint?.(x, y);
    const range = place ? null : document.caretRangeFromPoint?.(x, y);
    const node = place?.offsetNode ?? range?.startContainer;
    return node && this.root.contains(node) ? this.#point(node, place?.offset ?? range?.startOffset) : null;
  }

  /** Where a stretch stands in the window. @param {Stretch} range */
  place({ start, end }) {
    const range = document.createRange();
    const [first, from] = this.#spot(
      this.#nodes.filter(([, at]) => at <= start),
      start,
    );
    const [last, to] = this.#spot(
      this.#nodes.filter(([, at]) => at < end),
      end,
    );
    range.setStart(first, from);
    range.setEnd(last, to);
    return range.getBoundingClientRect();
  }

  /** The text node of a code point, and the offset there. @param {[globalThis.Text, number][]} before @param {number} point @returns {[Node, number]} */
  #spot(before, point) {
    const [node, first] = before.at(-1) ?? this.#nodes[0];
    return [node, [...node.data].slice(0, point - first).join("").length];
  }

  get rightToLeft() {
    return getComputedStyle(this.root).direction === "rtl";
  }
}
