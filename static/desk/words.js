// The words of the page. They come translated from the server; {names} in them are filled in here.

export const read = id => JSON.parse(document.getElementById(id).textContent);
const words = read("words");
export const language = document.documentElement.lang || "en";

export const say = (name, values = {}) => (words[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
export const number = n => n.toLocaleString(language);
export const many = (name, n) => say(`${name}_${n === 1 ? "one" : "many"}`, { n: number(n) });
export const hour = at => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
export const tenths = seconds => seconds.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
