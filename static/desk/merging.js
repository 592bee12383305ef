// @ts-check
// The last answers as the console knows them, with what still waits in this browser on top.

/**
 * @param {Entry[]} stored newest first
 * @param {Row[]} rows what waits, oldest first
 * @returns {Entry[]}
 */
export function merged(stored, rows) {
  let entries = [...stored];
  for (const row of rows) {
    const gone = row.kind === "answer" ? row.id : row.kind === "edit" ? row.body.of : row.body.client_id;
    const known = entries.find(entry => entry.client_id === row.id);
    entries = entries.filter(entry => entry.client_id !== gone || entry === known);
    if (row.kind !== "undo" && row.entry && !known) entries = [{ ...row.entry, client_id: row.id }, ...entries];
  }
  return entries;
}
