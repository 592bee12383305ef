"""Drift reaches pages that are open, without a reload, and is closed with a note."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import digits
from tests.console import Console, until
from tests.loops import new_loop

pytestmark = pytest.mark.journey
NOTE = "The camera was broken; it is replaced."


def test_an_alert_reaches_open_pages_and_mona_resolves_it_with_a_note(
    console: Console, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    with console.client("lin") as lin:
        loop = new_loop(console, lin, "A broken camera", count=400)
        console.post(lin, f"projects/{loop.id}/members/", username="mona", role="manager")
        version = loop.new_version()
        assert loop.promote(version).status_code == 201
        until(lambda: loop.serves() == str(version["number"]), "the champion does not answer")

        monitor = signed_in("mona")
        overview = monitor.context.new_page()
        for page, address in ((monitor, "monitor/"), (overview, "")):
            page.goto(f"/projects/{loop.id}/{address}")
            expect(page.locator("[data-live=on]")).to_be_visible()
            page.evaluate("window.neverReloaded = true")
        portfolio = monitor.context.new_page()
        with console.client("mona") as mona:
            console.post(mona, "notices/read/")
        portfolio.goto("/projects/")
        for page in (overview, portfolio):
            expect(page.locator("#bell .bell")).to_have_attribute("aria-label", "Notices, none unread")

        address = f"{console.predictor_url}/v2/models/{loop.slug}/infer"
        answer = httpx.post(
            address, json=digits.question(digits.noise(200)), headers=console.predictor_headers, timeout=30
        )
        assert answer.status_code == 200
        until(
            lambda: console.get(lin, f"projects/{loop.id}/predictions/?page_size=1000")["results"][199:],
            "the answers are not logged",
        )
        check = console.post(lin, f"projects/{loop.id}/drift-checks/")
        assert check["outcome"] == "drift", check

    expect(monitor.locator("#alerts").get_by_role("alert")).to_be_visible()
    for page in (overview, portfolio):  # one is open on the project, one on nothing but its person
        expect(page.locator("#bell .bell")).to_have_attribute("aria-label", "1 unread notice", timeout=20_000)
        toast = page.locator("#messages .toast", has_text="A broken camera")
        expect(toast).to_have_count(1)
    expect(portfolio.locator("body")).to_be_focused()  # it takes no focus
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)
    picture(monitor, "journey-6-alert")
    assert monitor.evaluate("window.neverReloaded") and overview.evaluate("window.neverReloaded")

    monitor.locator("#alerts summary", has_text="Resolve").click()
    monitor.get_by_label("Note").fill(NOTE)
    monitor.get_by_role("button", name="Resolve the alarm").click()
    expect(monitor.locator("#alerts").get_by_role("alert")).to_have_count(0)
    expect(monitor.get_by_text(NOTE)).to_be_visible()
    expect(overview.locator("#bell .bell")).to_have_attribute("aria-label", "Notices, none unread", timeout=20_000)

    monitor.get_by_role("button", name="Check for drift").click()
    expect(monitor.get_by_text("in the window; 50 are needed to tell.").first).to_be_visible()
    expect(monitor.locator("#alerts").get_by_role("alert")).to_have_count(0)  # the same requests ring once
