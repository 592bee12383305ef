"""From an empty project to a roll back, by one person in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import digits
from tests.console import Console, until

pytestmark = pytest.mark.journey
NAME = "First lap"
REASON = "A first model is better than none, and people look at its answers."


def current(page: Page) -> str:
    """The external id of the example on screen."""
    found = re.search(r"digit-\d+", page.locator("#hold").inner_text())
    assert found is not None
    return found.group()


def press(page: Page, keys: str) -> str:
    """Answer the example on screen and wait for the next; returns which it was."""
    before = page.locator("#hold").inner_text()
    answered = current(page)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#hold")).not_to_have_text(before)
    return answered


def label_by_keyboard(page: Page, count: int) -> dict[str, str]:
    told = {}
    for _ in range(count):
        external_id = press(page, digits.truth(current(page)))
        told[external_id] = digits.truth(external_id)
    return told


def saved(page: Page, console: Console, project: int, count: int) -> dict[str, str]:
    """What the server holds once the desk has sent everything."""
    with console.client("alma") as alma:

        def stored() -> list[dict[str, str]]:
            found = console.get(alma, f"projects/{project}/labels/?page_size=1000")["results"]
            return list(found) if len(found) >= count else []

        labels = until(stored, f"fewer than {count} labels arrived")
    expect(page.locator("#outbox")).to_contain_text("All answers saved")
    return {x["external_id"]: x["label"] for x in labels}


def stay(page: Page) -> None:
    """Mark this document, so that a reload would be noticed."""
    page.evaluate("window.neverReloaded = true")


def stayed(page: Page) -> bool:
    return bool(page.evaluate("window.neverReloaded === true"))


def create_project(page: Page) -> int:
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Image, one label").check()
    page.get_by_label("Labels", exact=True).fill("\n".join(digits.NAMES))
    page.get_by_label("Guidelines").fill("A digit is what its writer *meant*.")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_text(f"“{NAME}” is there.")).to_be_visible()
    found = re.search(r"/projects/(\d+)/", page.url)
    assert found is not None
    return int(found.group(1))


def upload(page: Page, project: int) -> None:
    page.goto(f"/projects/{project}/data/")
    expect(page.locator("[data-live=on]")).to_be_visible()
    stay(page)
    file = {"name": "digits.parquet", "mimeType": "application/octet-stream", "buffer": digits.parquet(300)}
    page.get_by_label("Choose a file").set_input_files(file)
    page.get_by_role("button", name="Add examples").click()
    arrivals = page.get_by_role("region", name="Arrivals")
    expect(arrivals.get_by_text("digits.parquet")).to_be_visible()
    expect(arrivals.get_by_text("300 taken")).to_be_visible()
    assert stayed(page), "the page was loaded again"


def train(page: Page, project: int, button: str, number: int) -> None:
    page.goto(f"/projects/{project}/runs/")
    page.get_by_role("button", name=button).first.click()
    page.wait_for_url(f"**/projects/{project}/models/runs/*/")
    expect(page.get_by_role("heading", name=f"Run {number}", exact=True)).to_be_visible()
    stay(page)
    expect(page.locator("#verdict").get_by_role("rowheader", name="It loads and answers")).to_be_attached(
        timeout=90_000
    )
    expect(page.locator("#progress").get_by_text(f"Model v{number}")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("Trained in")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert stayed(page), "the page was loaded again"


def promote(page: Page, number: int) -> None:
    """On the run's page; the verdict on a few holdout labels is inconclusive, so a reason is asked for."""
    page.locator("#verdict summary", has_text=f"Promote v{number}").click()
    box = page.locator("#verdict details[open]")
    box.get_by_role("button", name=f"Promote v{number}").click()
    expect(page).to_have_url(re.compile(r"/runs/"))  # without a reason nothing is sent
    box.get_by_label("Why it should serve all the same").fill(REASON)
    box.get_by_role("button", name=f"Promote v{number}").click()
    page.wait_for_url("**/models/")
    expect(page.get_by_text(f"v{number} is champion. The predictor loads it.")).to_be_visible()
    expect(page.locator("#board").get_by_text("It answers all requests")).to_be_visible()


def ask_the_champion(page: Page, number: int) -> None:
    image, _ = digits.all_digits()[700]
    page.get_by_label("A picture").set_input_files({"name": "digit.png", "mimeType": "image/png", "buffer": image})
    page.get_by_role("button", name="Ask the champion").click()
    expect(page.locator("#answer").get_by_text(f"v{number}", exact=True)).to_be_visible()
    assert page.locator("#answer dd").first.inner_text() in digits.NAMES


def roll_back(page: Page, project: int) -> None:
    page.goto(f"/projects/{project}/models/")
    page.locator("summary", has_text="Roll back to v1").click()
    box = page.locator("details[open]")
    expect(box.get_by_text("Give the crown back to v1?")).to_be_visible()
    expect(box.get_by_role("button", name="Keep v2")).to_be_focused()
    box.get_by_label("Why").fill("A drill.")
    box.get_by_role("button", name="Roll back to v1").click()
    expect(page.get_by_text("Rolled back to v1. The predictor loads it.")).to_be_visible()
    expect(page.locator("#board").get_by_text("It answers all requests")).to_be_visible()


def test_alma_turns_the_loop_once_and_takes_the_second_model_back(
    console: Console, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    page = signed_in("alma")
    project = create_project(page)
    upload(page, project)
    picture(page, "journey-1-data")

    page.goto(f"/projects/{project}/label/")
    expect(page.locator("#task")).to_be_visible()
    told = label_by_keyboard(page, 20)
    skipped = press(page, "x1")
    wrong = press(page, str((int(digits.truth(current(page))) + 1) % 10))
    page.keyboard.press("z")
    expect(page.locator("#hold")).to_contain_text(f"· {wrong}")
    told |= label_by_keyboard(page, 25)
    assert told[wrong] == digits.truth(wrong)
    picture(page, "journey-2-label")
    assert saved(page, console, project, len(told)) == told
    assert skipped not in told

    train(page, project, "Start a full run", 1)
    picture(page, "journey-3-run")
    promote(page, 1)
    ask_the_champion(page, 1)
    picture(page, "journey-4-models")

    page.goto(f"/projects/{project}/label/")
    expect(page.locator("#task")).to_be_visible()
    told |= label_by_keyboard(page, 10)
    assert saved(page, console, project, len(told)) == told
    train(page, project, "Start an incremental run", 2)
    promote(page, 2)
    ask_the_champion(page, 2)
    roll_back(page, project)
    ask_the_champion(page, 1)
    picture(page, "journey-5-rolled-back")
