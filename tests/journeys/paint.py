"""How long a person waits: from the press of a key until the next example is painted, by the browser's own clock."""

from typing import Any

from playwright.sync_api import Page

LATENCY_MS = 200  # of the simulated network
PACE_MS = 350  # between two answers: nobody reads faster, and nobody's queue may run dry of it
ENTRIES = 'performance.getEntriesByName("desk:next-painted")'


def slow_network(page: Page, latency_ms: float = LATENCY_MS) -> None:
    """Each request takes this much longer, both ways together (Chrome DevTools Protocol)."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", conditions)


def key_to_paint_ms(page: Page, answers: int = 40, *, keys: str = "12", pace_ms: float = PACE_MS) -> list[float]:
    """Milliseconds for each of `answers` answers on the desk that `page` shows; a key is one answer."""
    before = int(page.evaluate(f"{ENTRIES}.length"))
    for number in range(answers):
        page.keyboard.press(keys[number % len(keys)])
        page.wait_for_function(f"count => {ENTRIES}.length >= count", arg=before + number + 1)
        page.wait_for_timeout(pace_ms)
    return [float(ms) for ms in page.evaluate(f"{ENTRIES}.slice({before}).map(entry => entry.duration)")]


def painted_and_replied(page: Page) -> list[dict[str, Any]]:
    """For each answer when its key was pressed, the next example painted, and the console's reply begun."""
    return list(
        page.evaluate(
            f"""() => {{
                const sent = performance.getEntriesByType("resource").filter(e => e.name.endsWith("/label/answer/"));
                return {ENTRIES}.map((entry, i) => ({{
                    pressed: entry.startTime, painted: entry.startTime + entry.duration, replied: sent[i]?.responseStart ?? null,
                }}));
            }}"""
        )
    )


def percentile(values: list[float], share: float) -> float:
    """The least value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 1).__int__() - 1))]
