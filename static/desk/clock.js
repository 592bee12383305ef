// @ts-check
// Time spent looking at an example: stops while the tab is hidden and after five minutes without a sign of life.

const IDLE_MS = 5 * 60_000;

export function clock() {
  let spent = 0,
    at = 0,
    touched = 0,
    visible = !document.hidden;

  function settle() {
    const now = performance.now();
    if (visible) spent += Math.max(0, Math.min(now, touched + IDLE_MS) - at);
    at = now;
  }
  function touch() {
    settle();
    touched = performance.now();
  }

  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    addEventListener(sign, touch, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    settle();
    visible = !document.hidden;
    if (visible) touch();
  });
  return {
    /** Start at what was spent on this example before, in ms. */
    start(before = 0) {
      spent = before;
      at = touched = performance.now();
    },
    /** ms. */
    read() {
      settle();
      return Math.round(spent);
    },
  };
}
