// Answers in this browser's IndexedDB: a closed tab, a crash or a day without a network keeps them.
// Where the browser has no IndexedDB they live as long as the page, and `lasting` is false.

const NAME = "fastloop-desk", BOX = "outbox";
const OLD = "fastloop.answer.";  // what earlier pages left in localStorage: <person>.<project>.<client id>

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function database() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(BOX, { keyPath: "id" }).createIndex("owner", "owner");
  return done(opening);
}

/** Rows are { id, owner, order, ... }; `owner` says whose answers they are and of which project. */
export async function openStore(owner) {
  let db = null;
  try {
    db = await database();
  } catch { /* private window or no room: this page only */ }
  const memory = new Map();
  const rows = (mode = "readonly") => db.transaction(BOX, mode).objectStore(BOX);
  const store = {
    lasting: Boolean(db),
    async all() {
      const found = db ? await done(rows().index("owner").getAll(owner)) : [...memory.values()].map(row => ({ ...row }));
      return found.sort((a, b) => a.order - b.order);
    },
    get: async id => (db ? done(rows().get(id)) : memory.get(id)),
    put: async row => (db ? done(rows("readwrite").put(row)) : void memory.set(row.id, row)),
    remove: async id => (db ? done(rows("readwrite").delete(id)) : void memory.delete(id)),
    /** How many answers of other people to this project wait in this browser. */
    async strangers() {
      const project = owner.slice(owner.indexOf("."));
      const owners = db ? (await done(rows().getAll())).map(row => row.owner) : [];
      return owners.filter(other => other !== owner && other.endsWith(project)).length;
    },
  };
  await moveIn(store, owner);
  return store;
}

/** Take over what an earlier version of this page kept in localStorage. */
async function moveIn(store, owner) {
  try {
    for (const key of Object.keys(localStorage).filter(k => k.startsWith(`${OLD}${owner}.`))) {
      const { kept_at, ...body } = JSON.parse(localStorage.getItem(key));
      await store.put({ id: body.client_id, owner, order: kept_at || Date.now(), kind: "answer", tried: true, since: kept_at, body });
      localStorage.removeItem(key);
    }
  } catch { /* unreadable or forbidden: it stays where it is */ }
}
