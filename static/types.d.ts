// The shapes that the scripts share. Only the type checker reads this file.

// --- Django's catalog of words, which every page loads first
declare function gettext(sentence: string): string;
declare function ngettext(one: string, many: string, n: number): string;
declare function interpolate(sentence: string, values: object, named: true): string;

// --- what console.js offers to the other scripts
interface Window {
  fastloop: { csrf(): string; toast(kind: string, words: string): HTMLElement };
  Plotly: any;
}
interface Navigator {
  keyboard?: { getLayoutMap?(): Promise<Map<string, string>> };
}
interface HTMLElementEventMap {
  "htmx:configRequest": CustomEvent;
  "htmx:beforeSwap": CustomEvent;
  "htmx:responseError": CustomEvent;
  "htmx:sendError": CustomEvent;
  "htmx:load": CustomEvent;
  "theme:changed": CustomEvent;
}

// --- the labeling desk
type Label = { name: string; hotkey: string; color: string; description?: string };
type Stretch = { start: number; end: number };
type Span = Stretch & { label: string };
type Size = { width: number; height: number };
type Point = { x: number; y: number };
type Rect = Point & Size;
type Box = Rect & { label: string };

/** The answer as its kind has it: { label }, { labels }, { spans } or { boxes }. */
type Value = any;
type Suggestion = { value: Value; confidence: number | null };
type Vote = { who: string; words: string; comment: string; value: Value | null };
type ExampleShown = {
  external_id: string;
  summary: string;
  text: string;
  image_url?: string;
  [name: string]: any;
} & Size;
type Extras = { comment: string; flagged: boolean; error_kind: string };

/** An assignment: an example that this person holds. `spent`, `draft`, `extras` and `shown_at` are added here. */
type Item = {
  id: number | string;
  token: string;
  example: ExampleShown;
  lane: string;
  why: string;
  guidelines: number | null;
  suggestion: Suggestion | null;
  nearest: string[];
  votes: Vote[];
  review?: { why: string; asks: boolean } | null;
  value?: Value;
  draft?: Value;
  spent?: number;
  extras: Extras;
  shown_at?: string;
};

/** An answer that was given, as the list of the last ones shows it. */
type Entry = {
  client_id: string;
  summary: string;
  answer: string;
  at: string;
  guidelines: number | null;
  lane: string;
  value: Value | null;
  skip_reason: string;
  comment: string;
  flagged: boolean;
  retired: string[];
  example: ExampleShown;
  was?: Item;
};

/** What waits in this browser: `id` is the client id under which it is sent, `owner` whose it is. */
type Row = {
  id: string;
  owner: string;
  order: number;
  kind: "answer" | "edit" | "undo";
  tried: boolean;
  since: number;
  body: any;
  entry?: Entry;
  gone?: boolean;
};
type Trouble = Error & { status: number; code?: string };
type Progress = {
  today: number;
  mean_s: number | null;
  labeled: number;
  examples: number;
  waiting?: { review?: number };
};
type Empty = { title?: string; sentence?: string; next?: string; frees_at?: string };

type Binding = {
  code: string;
  shift?: boolean;
  fine?: boolean;
  words?: string;
  act(event?: KeyboardEvent): any;
  repeat?: boolean;
  shown?: string[];
};

/** The controls of an answer while an example is on screen. */
type Mounted = {
  value(): Value;
  changed(): boolean;
  keys: Binding[];
  repaint(): void;
  take?(given: Value): void;
  refusal?(): string;
  unmount?(): void;
};
type MountGiven = {
  labels: Label[];
  nearest: string[];
  example: ExampleShown;
  value?: Value;
  suggestion: Suggestion | null;
  stage: HTMLElement;
  shown(code: string): string;
  answer(value: Value, event?: MouseEvent): void;
  onChange(): void;
  tell(sentence: string, refused?: boolean): void;
  free(code: string): { shift: boolean };
};

/** A kind of answer: what `static/desk/<kind>.js` exports. */
type Kind = {
  atOnce?: true;
  words(value: Value): string;
  labelsIn(value: Value): string[];
  none?(): Value;
  sendWords(value: Value): string;
  sureWords(): string;
  mount(root: HTMLElement, given: MountGiven): Mounted;
};
