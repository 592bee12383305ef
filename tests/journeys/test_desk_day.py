"""The desk after half an hour: what a long day does to the screen, and what a reader of another language types."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.console import Console
from tests.journeys import kinds
from tests.journeys.desk import PHONE, WIDE, Window, all_saved, answer, answers_of, current, open_desk, press

pytestmark = pytest.mark.journey
LONG = 25  # answers; twenty of them stand at the side
INTENTS = (
    "card_arrival",
    "card_payment_wrong_exchange_rate",
    "top_up_reverted",
    *(f"other_reason_{n}" for n in range(12)),
)


@pytest.fixture(scope="module")
def alma(console: Console) -> Any:
    with console.client("alma") as client:
        yield client


def out_of_view(page: Page) -> list[str]:
    """What of the example and the foot bar cannot be seen now, with where it lies."""
    return list(
        page.evaluate(
            """() => {
              const found = [];
              if (scrollY || document.scrollingElement.scrollHeight > innerHeight + 1)
                found.push(`the page scrolls: ${scrollY} of ${document.scrollingElement.scrollHeight}`);
              const main = document.querySelector("#main").getBoundingClientRect();
              const example = document.querySelector("#example").getBoundingClientRect();
              if (example.top < main.top || example.top > main.bottom - 20) found.push(`example at ${example.top}`);
              const parts = ".desk-foot > :not([hidden], :empty), .desk-foot details[open] .pop";
              for (const part of document.querySelectorAll(parts)) {
                const box = part.getBoundingClientRect();
                if (box.height && (box.top < 0 || box.bottom > innerHeight + 1))
                  found.push(`${part.id || part.className} at ${box.top} to ${box.bottom}`);
              }
              return found;
            }"""
        )
    )


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("wide", WIDE),
        ("laptop", {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark"}),
        ("short", {"viewport": {"width": 1100, "height": 420}}),
        ("narrow", {"viewport": {"width": 800, "height": 600}, "color_scheme": "dark"}),
        ("phone", PHONE),
    ],
)
def test_example_and_foot_stay_in_view_after_twenty_five_answers(
    console: Console, alma: httpx.Client, signed_in: Window, picture: Any, name: str, window: dict[str, Any]
) -> None:
    project = kinds.make(console, alma, "text-classification", count=LONG + 4)
    page = signed_in("ada", **window)
    open_desk(page, project)
    for _ in range(LONG):
        answer(page, "1")
    all_saved(page)
    expect(page.locator("#undo-list li")).to_have_count(20)
    expect(page.locator("#task")).to_be_visible()  # the next example may still be on its way
    assert out_of_view(page) == []
    picture(page, f"desk-day-{name}")
    for keys in (["x"], ["Escape"], ["Shift+C"], ["Escape"], ["e"], ["ArrowDown", "ArrowDown"], ["Escape"], ["z"]):
        press(page, *keys)
        page.wait_for_timeout(150)  # a browser scrolls to what has the focus after the key, not with it
        assert out_of_view(page) == [], f"after {keys}"
        picture(page, f"desk-day-{name}-{keys[0]}")
    press(page, "e")
    expect(page.locator("#undo-list button").first).to_be_in_viewport()
    press(page, "Enter")
    expect(page.locator("#why")).to_contain_text("You answered")
    assert out_of_view(page) == []


def compose(page: Page, selector: str, key: str) -> None:
    """A press that belongs to an input method, as Chromium (229) and the standard (isComposing) tell it."""
    for more in ({"isComposing": True}, {"keyCode": 229}):
        page.locator(selector).evaluate(
            """(box, [key, more]) => box.dispatchEvent(new KeyboardEvent("keydown",
                 { key, code: key, bubbles: true, cancelable: true, ...more }))""",
            [key, more],
        )


def test_the_find_box_answers_only_what_was_typed_and_found(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification", labels=INTENTS)
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    shown, find = current(page), page.locator("#find")
    for typed in ("", "   ", "_", "zzz"):
        press(page, "/")
        find.fill(typed)
        press(page, "Enter")
        assert current(page) == shown, f"{typed!r} was taken for an answer"
        press(page, "Escape")
    press(page, "/")
    find.fill("card arr")
    expect(page.locator("#picks .pick")).to_have_text(["card_arrival"])
    assert page.locator("#picks .pick wbr").count() == 1  # it breaks between its words
    compose(page, "#find", "Enter")
    compose(page, "#find", "Escape")
    assert (current(page), find.input_value()) == (shown, "card arr")
    press(page, "Enter")
    page.wait_for_function("id => document.querySelector('#example').dataset.external !== id", arg=shown)
    all_saved(page)
    assert answers_of(console, "ada", project) == 1


def test_composing_in_the_comment_box_neither_keeps_nor_closes_it(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    press(page, "Shift+C")
    page.locator("#comment").fill("まだ")
    for key in ("Enter", "Escape"):
        compose(page, "#comment", key)
        expect(page.locator("#comment")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#comment-state")).to_contain_text("A comment goes with this answer.")


def test_long_words_of_the_console_wrap_inside_the_window(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification")
    for window in (WIDE, PHONE):
        page = signed_in("ada", **window)
        page.goto(f"/projects/{project}/")
        page.evaluate(f"fastloop.toast('warn', {json.dumps('A sentence that goes on and on. ' * 9)})")
        box = page.locator(".toast").last.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= window["viewport"]["width"]
        assert box["width"] <= 32 * 16
        expect(page.locator(".toast .toast-x").last).to_be_in_viewport(ratio=1)
