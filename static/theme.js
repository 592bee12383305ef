// @ts-check
// Before the first paint: the theme this browser chose. Nothing kept means that the system decides.
(() => {
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch {
    /* storage is closed: the system decides */
  }
})();
