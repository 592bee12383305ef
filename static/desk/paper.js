// The text of an example on screen: paints spans and the chosen stretch, and turns places of the pointer into code points.

import { el } from "./dom.js";
import { overlap, pieces } from "./text.js";

export class Paper {
  #nodes = [];  // [text node, code point at which it starts]

  constructor(root, text) {
    this.root = root;
    this.text = text;
  }

  /** `spans` and `ghosts` are { start, end, label, color, retired }, `chosen` is { start, end } or null. */
  paint(spans, chosen, ghosts = []) {
    const marks = [...spans, ...ghosts, ...(chosen ? [chosen] : [])];
    const made = [];
    this.#nodes = [];
    let group = null, owner = null;
    for (const piece of pieces(this.text.length, marks)) {
      const span = spans.find(s => overlap(s, piece)) ?? ghosts.find(g => overlap(g, piece)) ?? null;
      const node = document.createTextNode(this.text.slice(piece.start, piece.end));
      this.#nodes.push([node, piece.start]);
      const part = chosen && overlap(chosen, piece) ? el("mark.chosen", {}, node) : node;
      if (!span) { made.push(part); group = owner = null; continue; }
      if (span !== owner) {
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

  /** Code point of a place in the DOM. */
  #point(node, offset) {
    const own = this.#nodes.find(([text]) => text === node);
    if (own) return own[1] + [...node.data.slice(0, offset)].length;
    const after = node.childNodes?.[offset];
    const next = after && this.#nodes.find(([text]) => after === text || after.contains(text)
      || after.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (next) return next[1];
    const last = this.#nodes.filter(([text]) => node.contains(text) || node.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_PRECEDING).at(-1);
    return last ? last[1] + [...last[0].data].length : 0;
  }

  /** What the browser's own selection covers of this text, or null. */
  selected() {
    const now = getSelection();
    if (!now?.rangeCount || now.isCollapsed) return null;
    const range = now.getRangeAt(0);
    if (!this.root.contains(range.commonAncestorContainer)) return null;
    return this.text.trimmed(this.#point(range.startContainer, range.startOffset), this.#point(range.endContainer, range.endOffset));
  }

  /** Code point under a place of the window, or null beside the text. */
  at(x, y) {
    const position = document.caretPositionFromPoint?.(x, y);
    const range = position ? null : document.caretRangeFromPoint?.(x, y);
    const node = position?.offsetNode ?? range?.startContainer;
    return node && this.root.contains(node) ? this.#point(node, position?.offset ?? range.startOffset) : null;
  }

  /** Where a stretch stands in the window. */
  place({ start, end }) {
    const range = document.createRange(), ends = [[start, "setStart"], [end, "setEnd"]];
    for (const [point, set] of ends) {
      const [node, first] = this.#nodes.filter(([, at]) => (set === "setEnd" ? at < point : at <= point)).at(-1) ?? this.#nodes[0];
      range[set](node, [...node.data].slice(0, point - first).join("").length);
    }
    return range.getBoundingClientRect();
  }

  get rightToLeft() { return getComputedStyle(this.root).direction === "rtl"; }
}
