// Text in code points, as spans count it. An emoji is one point, whatever JavaScript's `length` says.

export class Text {
  constructor(text) {
    this.points = [...text];
    this.length = this.points.length;
    this.words = this.#cut(text, "word").filter(part => part.text.trim());
    this.signs = this.#cut(text, "grapheme").map(part => part.start);  // where a letter, as a reader sees it, begins
  }

  #cut(text, granularity) {
    const cut = new Intl.Segmenter(undefined, { granularity });
    let at = 0;
    return [...cut.segment(text)].map(({ segment }) => {
      const start = at;
      at += [...segment].length;
      return { start, end: at, text: segment };
    });
  }

  slice(start, end) { return this.points.slice(start, end).join(""); }

  /** Without the blanks at both ends; null when nothing else is in it. */
  trimmed(start, end) {
    while (start < end && !this.points[start].trim()) start += 1;
    while (end > start && !this.points[end - 1].trim()) end -= 1;
    return start < end ? { start, end } : null;
  }

  /** The place in `words` of the word at or after a point. */
  wordAt(point) {
    const found = this.words.findIndex(word => word.end > point);
    return found < 0 ? this.words.length - 1 : found;
  }

  /** The next or previous beginning of a letter; the end counts as one. */
  signFrom(point, step) {
    if (step > 0) return this.signs.find(sign => sign > point) ?? this.length;
    return this.signs.filter(sign => sign < point).at(-1) ?? 0;
  }
}

export const overlap = (a, b) => a.start < b.end && b.start < a.end;

/** The stretches between all ends of `ranges`, in order, covering 0 to `length`. */
export function pieces(length, ranges) {
  const cuts = new Set([0, length]);
  for (const range of ranges) { cuts.add(range.start); cuts.add(range.end); }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => ({ start: sorted[i], end })).filter(piece => piece.end > piece.start);
}
