"""One browser and one console for all journeys; pictures of every page where JOURNEY_SCREENSHOTS names a folder."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.console import Console, console

__all__ = ["console"]
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 30_000  # two cores share a browser, a database and a training worker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM.exists():
        return
    for item in items:
        if item.get_closest_marker("journey"):
            item.add_marker(pytest.mark.skip(reason=f"no browser at {CHROMIUM}: apt-get install chromium"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def foreign() -> list[str]:
    """Every address outside the console that a page asked for; must stay empty."""
    return []


@pytest.fixture
def signed_in(console: Console, browser: Browser, foreign: list[str]) -> Iterator[Callable[..., Page]]:
    """A window in which this person signed in through the form."""
    contexts: list[BrowserContext] = []

    def window(username: str, **options: object) -> Page:
        context = browser.new_context(base_url=console.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request", lambda r: None if r.url.startswith((console.url, "data:", "blob:")) else foreign.append(r.url)
        )
        page.goto("/sign-in/")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(console.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/projects/**")
        return page

    yield window
    for context in contexts:
        context.close()
    assert foreign == [], "a page asked a foreign host"


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture of the whole page, where somebody wants to look."""
    folder = os.environ.get("JOURNEY_SCREENSHOTS", "")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep
