// @ts-check
// Text in code points, as spans count it. An emoji is one point, whatever JavaScript's `length` says.

export class Text {
  /** @param {string} text */
  constructor(text) {
    this.points = [...text];
    this.length = this.points.length;
    this.words = this.#cut(text, "word").filter(part => part.text.trim());
    this.signs = this.#cut(text, "grapheme").map(part => part.start); // where a letter, as a reader sees it, begins
  }

  /** @param {string} text @param {"word" | "grapheme"} granularity */
  #cut(text, granularity) {
    const cut = new Intl.Segmenter(undefined, { granularity });
    let at = 0;
    return [...cut.segment(text)].map(({ segment }) => {
      const start = at;
      at += [...segment].length;
      return { start, end: at, text: segment };
    });
  }

  /** @param {number} start @param {number} end */
  slice(start, end) {
    return this.points.slice(start, end).join("");
  }

  /** Without the blanks at both ends; null when nothing else is in it. @param {number} start @param {number} end */
  trimmed(start, end) {
    while (start < end && !this.points[start].trim()) start += 1;
    while (end > start && !this.points[end - 1].trim()) end -= 1;
    return start < end ? { start, end } : null;
  }

  /** The place in `words` of the word at or after a point. @param {number} point */
  wordAt(point) {
    const found = this.words.findIndex(word => word.end > point);
    return found < 0 ? this.words.length - 1 : found;
  }

  /** The next or previous beginning of a letter; the end counts as one. @param {number} point @param {number} step */
  signFrom(point, step) {
    if (step > 0) return this.signs.find(sign => sign > point) ?? this.length;
    return this.signs.filter(sign => sign < point).at(-1) ?? 0;
  }
}

/** @param {Stretch} a @param {Stretch} b */
export const overlap = (a, b) => a.start < b.end && b.start < a.end;

/** The stretches between all ends of `ranges`, in order, covering 0 to `length`. @param {number} length @param {Stretch[]} ranges */
export function pieces(length, ranges) {
  const cuts = new Set([0, length]);
  for (const range of ranges) cuts.add(range.start).add(range.end);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted
    .slice(1)
    .map((end, i) => ({ start: sorted[i], end }))
    .filter(piece => piece.end > piece.start);
}

/**
 * The spans once a stretch has a label: what is named already is renamed, and spans never overlap.
 * @param {Span[]} spans in order
 * @param {Stretch} range
 * @param {string} label
 * @returns {{ spans: Span[], named: Span, clash?: undefined } | { clash: Span }} `clash` is what lies in the way
 */
export function withSpan(spans, range, label) {
  const own = spanAt(spans, range);
  if (own) {
    const named = { ...own, label };
    return { spans: spans.map(span => (span === own ? named : span)), named };
  }
  const clash = spans.find(span => overlap(span, range));
  if (clash) return { clash };
  const named = { start: range.start, end: range.end, label };
  return { spans: [...spans, named].sort((a, b) => a.start - b.start), named };
}

/** The span that holds the whole stretch. @param {Span[]} spans @param {Stretch | null} range */
export const spanAt = (spans, range) => spans.find(s => range && s.start <= range.start && range.end <= s.end);
