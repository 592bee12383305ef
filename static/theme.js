// @ts-check
// Before the first paint: the theme this browser chose (nothing kept: the system decides), and its time zone.
(() => {
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch {
    /* storage is closed: the system decides */
  }
  // The zone of this browser, told once: pages say moments in it, unless the person chose another.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (!timeZone || document.cookie.split("; ").includes(`time_zone=${timeZone}`)) return;
  document.cookie = `time_zone=${timeZone}; path=/; max-age=31536000; SameSite=Lax`;
})();
