// @ts-check
// What the desk is made of: its parts, and the state that they share. Only main.js puts it together.

/**
 * @typedef {object} State
 * @property {{ entry: Entry, item: Item } | null} edited the old answer that is being changed
 * @property {Mounted | null} mounted the controls of the example on screen
 * @property {Empty | null} empty why nothing is here, as the console says it
 * @property {boolean} busy while an undo is on its way
 * @property {Item | null} sure the example that was sent with nothing on it once; sent again, nothing is meant
 * @property {number} began when the last key or click came, in ms of the page
 * @property {number | null} paintMs from the last answer to the next example on screen
 * @property {boolean} lost somebody else is signed in: this page takes no answer any more
 */

/** @returns {State} */
export const freshState = () => ({
  edited: null,
  mounted: null,
  empty: null,
  busy: false,
  sure: null,
  began: 0,
  paintMs: null,
  lost: false,
});

/**
 * @typedef {object} Desk
 * @property {State} state
 * @property {Kind} kind
 * @property {Label[]} labels
 * @property {Set<string>} taken the keys that labels have
 * @property {Record<string, string>} urls what the page says of itself: addresses, person, project, lane
 * @property {string} lane
 * @property {number} depth how many answers can be undone
 * @property {ReturnType<typeof import("./clock.js").clock>} time
 * @property {ReturnType<typeof import("./screen.js").goldNotice>} gold
 * @property {ReturnType<typeof import("./screen.js").notes>} note
 * @property {ReturnType<typeof import("./screen.js").progress>} counted
 * @property {ReturnType<typeof import("./screen.js").emptyState>} nothing
 * @property {ReturnType<typeof import("./tabs.js").tabs>} others
 * @property {ReturnType<typeof import("./outbox.js").outbox>} box
 * @property {ReturnType<typeof import("./queue.js").queue>} waiting
 * @property {ReturnType<typeof import("./sign-in.js").session>} who
 * @property {ReturnType<typeof import("./keys.js").keyboard>} keys
 * @property {ReturnType<typeof import("./past.js").past>} memory
 * @property {ReturnType<typeof import("./extras.js").extras>} around
 * @property {(value: Value) => void} give what a label's own key does
 */

/** What is on screen: the answer being changed, else the first example. @param {Desk} desk @returns {Item | undefined} */
export const now = desk => desk.state.edited?.item ?? desk.waiting.first;

/** @param {Desk} desk */
export const reviewing = desk => now(desk)?.lane === "review";

/** Whether the answer says why others differed: not where somebody only flagged. @param {Desk} desk */
export const asksWhy = desk => reviewing(desk) && (now(desk)?.review?.asks ?? true);

/** A label has its key; the desk’s own moves to Shift. @param {Desk} desk @param {string} code */
export const free = (desk, code) => ({ shift: desk.taken.has(code) });
