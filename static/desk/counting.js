// @ts-check
// How often each label stands in an answer: "2 person, 1 place".

/** @param {{ label: string }[]} marks */
export function counted(marks) {
  const times = new Map();
  for (const { label } of marks) times.set(label, (times.get(label) || 0) + 1);
  return [...times].map(([label, n]) => `${n} ${label}`).join(", ");
}

/** @param {{ label: string }[]} marks */
export const labelsOf = marks => [...new Set(marks.map(mark => mark.label))];
