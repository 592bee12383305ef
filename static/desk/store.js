// @ts-check
// Answers in this browser's IndexedDB: a closed tab, a crash or a day without a network keeps them.
// Where the browser has no IndexedDB they live as long as the page, and `lasting` is false.

const NAME = "fastloop-desk",
  BOX = "outbox";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = request =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function database() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () =>
    opening.result.createObjectStore(BOX, { keyPath: "id" }).createIndex("owner", "owner");
  return done(opening);
}

/** @typedef {Awaited<ReturnType<typeof openStore>>} Store */

/** `owner`, a person and a project, says whose rows are read. @param {string} owner */
export async function openStore(owner) {
  /** @type {IDBDatabase | null} */
  const db = await database().catch(() => null); // private window or no room: this page only
  /** @type {Map<string, Row>} */
  const memory = new Map();
  const rows = (/** @type {IDBDatabase} */ open, /** @type {IDBTransactionMode} */ mode = "readonly") =>
    open.transaction(BOX, mode).objectStore(BOX);
  return {
    lasting: Boolean(db),
    /** In the order in which they were given. @returns {Promise<Row[]>} */
    async all() {
      const found = db
        ? await done(rows(db).index("owner").getAll(owner))
        : [...memory.values()].map(row => ({ ...row }));
      return found.sort((a, b) => a.order - b.order);
    },
    /** @param {string} id @returns {Promise<Row | undefined>} */
    get: async id => (db ? done(rows(db).get(id)) : memory.get(id)),
    /** @param {Row} row */
    async put(row) {
      if (db) await done(rows(db, "readwrite").put(row));
      else memory.set(row.id, row);
    },
    /** @param {string} id */
    async remove(id) {
      if (db) await done(rows(db, "readwrite").delete(id));
      else memory.delete(id);
    },
    /** How many answers of other people to this project wait in this browser. */
    async strangers() {
      const project = owner.slice(owner.indexOf("."));
      const owners = db ? (await done(rows(db).getAll())).map(row => row.owner) : [];
      return owners.filter(other => other !== owner && other.endsWith(project)).length;
    },
  };
}
