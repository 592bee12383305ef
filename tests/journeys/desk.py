"""What a person at the desk sees and does, and what the console has stored of it."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.console import Console, until

PROGRESS = re.compile(r'<script id="progress" type="application/json">(.*?)</script>')
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}


def open_desk(page: Page, project: int, query: str = "") -> None:
    page.goto(f"/projects/{project}/label/{query}")
    expect(page.locator("#task")).to_be_visible()


def current(page: Page) -> str:
    """The external id of the example on screen."""
    return str(page.locator("#example").get_attribute("data-external"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def answer(page: Page, *keys: str) -> str:
    """Press the keys, wait for the next example; returns which one was answered."""
    expect(page.locator("#task")).to_be_visible()
    before = current(page)
    press(page, *keys)
    gone(page, before)
    return before


def gone(page: Page, external_id: str) -> None:
    """The example has left the screen: for the next one, or for the reason why there is none."""
    page.wait_for_function(
        "id => document.querySelector('#task').hidden || document.querySelector('#example').dataset.external !== id",
        arg=external_id,
    )


def all_saved(page: Page) -> None:
    expect(page.locator("#outbox")).to_contain_text("All answers saved")


def stored(console: Console, project: int, count: int) -> dict[str, Any]:
    """Labels and values by external id, once `count` are there; fails where one stands there twice."""
    with console.client("alma") as alma:

        def look() -> list[dict[str, Any]]:
            found = console.get(alma, f"projects/{project}/labels/?page_size=1000")["results"]
            return list(found) if len(found) >= count else []

        rows = until(look, f"fewer than {count} labels arrived", within_s=30)
    by_id = {x["external_id"]: x["label"] if x["label"] is not None else x["value"] for x in rows}
    assert len(by_id) == len(rows)
    return by_id


def answers_of(console: Console, username: str, project: int) -> int:
    """How many answers of this person stand, skips included: what the desk's page counts today."""
    with console.client(username) as client:
        page = client.get(f"/projects/{project}/label/")
        assert page.status_code == 200, page.text[:500]
    found = PROGRESS.search(page.text)
    assert found is not None
    return int(json.loads(found.group(1))["today"])


def past_of(console: Console, username: str, project: int) -> list[dict[str, Any]]:
    with console.client(username) as client:
        found = client.get(f"/projects/{project}/label/past/", headers={"Accept": "application/json"})
        assert found.status_code == 200, found.text[:500]
        return list(found.json()["past"])


def keys_listed(page: Page) -> dict[str, str]:
    """What `?` shows: keys by what they do."""
    page.keyboard.press("?")
    rows = page.locator("#keys .keys > div")
    expect(rows.first).to_be_visible()
    found = {r.locator("dd").inner_text(): " ".join(r.locator("kbd").all_inner_texts()) for r in rows.all()}
    page.keyboard.press("Escape")
    return found


Window = Callable[..., Page]
