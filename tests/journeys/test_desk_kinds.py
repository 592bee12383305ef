"""Each kind of answer at the desk, from its first key to the stored value, without a mouse."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.console import Console
from tests.journeys import kinds
from tests.journeys.desk import PHONE, WIDE, Window, all_saved, answer, current, keys_listed, open_desk, press, stored

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def alma(console: Console) -> Any:
    with console.client("alma") as client:
        yield client


def span(text: str, words: str, label: str) -> dict[str, Any]:
    """As Python counts: code points."""
    start = text.index(words)
    return {"start": start, "end": start + len(words), "label": label}


def text_of(external_id: str) -> str:
    return str(kinds.row("text-spans", int(external_id.split("-")[1]))["text"])


def test_one_label_is_one_key(console: Console, alma: httpx.Client, signed_in: Window) -> None:
    project = kinds.make(console, alma, "text-classification")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    said = {answer(page, "1"): "Card arrival", answer(page, "3"): "Top-up reverted"}
    assert keys_listed(page)["Answer Pending transfer"] == "2"
    all_saved(page)
    assert stored(console, project, 2) == said


def test_of_two_texts_the_better_one_is_answered_by_number_or_by_its_letter(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-preference")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    expect(page.get_by_role("region", name="Text A")).to_contain_text("Hello, dear reader")
    said = {answer(page, "a"): "A", answer(page, "b"): "B", answer(page, "1"): "A", answer(page, "2"): "B"}
    said |= {answer(page, "t"): "Tie", answer(page, "n"): "Both bad"}
    left, right = (
        page.get_by_role("region", name="Text A").bounding_box(),
        page.get_by_role("region", name="Text B").bounding_box(),
    )
    assert left and right and left["y"] == right["y"], "the two texts do not stand side by side"
    assert stored(console, project, 6) == said


def test_many_labels_are_switched_on_and_sent_and_none_is_said_on_purpose(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-multilabel")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    press(page, "3", "1", "2", "2")  # the second of two presses takes it off again
    expect(page.get_by_role("button", name="Money")).to_have_attribute("aria-pressed", "true")
    said: dict[str, Any] = {answer(page, "Enter"): {"labels": ["Urgent", "Money"]}}
    kept = current(page)
    press(page, "Enter")
    expect(page.locator("#note")).to_contain_text("Press Enter again to say that none fits.")
    assert current(page) == kept
    said[answer(page, "Enter")] = {"labels": []}
    button = current(page)
    page.get_by_role("button", name="None fits").click()
    page.wait_for_function("id => document.querySelector('#example').dataset.external !== id", arg=button)
    said[button] = {"labels": []}
    all_saved(page)
    assert stored(console, project, 3) == said


def test_spans_are_chosen_named_renamed_and_removed_by_keys_and_count_an_emoji_as_one(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-spans")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    right = "ArrowRight"
    press(page, right, right, right, f"Shift+{right}", "1")  # 250 euros
    press(page, right, right, f"Shift+{right}", f"Shift+{right}", "3", "2")  # my sister Ada: named, then renamed
    press(page, right, right, "3", "Delete", "3")  # Paris: named, removed, named again
    for _ in range(12):  # past the emoji, to “Case”, from its end backwards
        press(page, right)
    press(page, "End", "ArrowLeft", "ArrowLeft", "4")
    text = text_of(current(page))
    expect(page.locator("[data-list] li")).to_have_count(4)
    said = answer(page, "Enter")
    all_saved(page)
    assert stored(console, project, 1)[said] == {
        "spans": [
            span(text, "250 euros", "Amount"),
            span(text, "my sister Ada", "Person"),
            span(text, "Paris", "Place"),
            span(text, "Case", "Time"),
        ]
    }


def test_spans_that_would_overlap_are_refused_in_words(console: Console, alma: httpx.Client, signed_in: Window) -> None:
    project = kinds.make(console, alma, "text-spans")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    press(page, "Home", "ArrowRight", "1", "ArrowLeft", "Shift+ArrowRight", "2")
    expect(page.locator("#note")).to_have_text(
        "“sent” is Amount already, and spans cannot overlap. Remove it first, or choose fewer words."
    )
    expect(page.locator("[data-list] li")).to_have_count(1)


def test_a_span_is_drawn_with_the_mouse_and_its_ends_are_moved_by_letters(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-spans")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    drag_over(page, "Paris two")
    press(
        page,
        "Control+Shift+ArrowLeft",
        "Control+Shift+ArrowLeft",
        "Control+Shift+ArrowLeft",
        "Control+Shift+ArrowLeft",
        "3",
    )
    page.locator(".span").first.click()  # a click on a span chooses it
    page.get_by_role("button", name="Time").click()
    drag_over(page, "😀")
    press(page, "2")
    text = text_of(current(page))
    said = answer(page, "Enter")
    all_saved(page)
    assert stored(console, project, 1)[said] == {"spans": [span(text, "Paris", "Time"), span(text, "😀", "Person")]}


def drag_over(page: Page, words: str) -> None:
    place = page.evaluate(
        """words => {
            const walker = document.createTreeWalker(document.querySelector("#example [data-fill=text]"), NodeFilter.SHOW_TEXT);
            for (let node; node = walker.nextNode();) {
                const at = node.data.indexOf(words);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + words.length);
                const { left, right, top, bottom } = range.getBoundingClientRect();
                return { left, right, middle: (top + bottom) / 2 };
            }
        }""",
        words,
    )
    page.mouse.move(place["left"] + 1, place["middle"])
    page.mouse.down()
    page.mouse.move(place["right"] - 1, place["middle"], steps=6)
    page.mouse.up()


def test_boxes_are_made_moved_sized_named_and_removed_by_keys(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "image-boxes")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    press(page, "n", "1", "ArrowLeft", "Control+ArrowUp", "Shift+ArrowRight")  # 320 by 200: a step is 3 pixels
    press(page, "n", "2", "Delete", "n")
    expect(page.locator(".plane-boxes .box")).to_have_count(2)
    for _ in range(80):  # into the corner and no further
        press(page, "ArrowLeft", "ArrowUp")
    press(page, "Shift+Tab")
    expect(page.locator(".box.on b")).to_have_text("Circle")
    said = answer(page, "Enter")
    all_saved(page)
    assert stored(console, project, 1)[said] == {
        "boxes": [
            {"x": 0, "y": 0, "width": 80, "height": 50, "label": "Square"},
            {"x": 117, "y": 74, "width": 83, "height": 50, "label": "Circle"},
        ]
    }


def test_boxes_are_drawn_in_pixels_of_the_image_at_any_zoom_and_clipped_to_it(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "image-boxes")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.wait_for_function("() => document.querySelector('.plane img').naturalWidth === 320")
    draw(page, (20, 30), (60, 90))
    press(page, "Enter")
    expect(page.locator("#note")).to_have_text("One box has no label. Name it or remove it, then send.")
    press(page, "1", "+")
    draw(page, (250, 150), (500, 400), held=True)
    press(page, "2")
    said = answer(page, "Enter")
    all_saved(page)
    first, second = stored(console, project, 1)[said]["boxes"]
    assert first == {"x": 20, "y": 30, "width": 40, "height": 60, "label": "Circle"}
    assert (second["x"] + second["width"], second["y"] + second["height"], second["label"]) == (320, 200, "Square")


def draw(page: Page, a: tuple[int, int], b: tuple[int, int], *, held: bool = False) -> None:
    """From one pixel of the image to another; `held` clips the way to what is in view."""
    plane, view = page.locator(".plane").bounding_box(), page.locator(".canvas-view").bounding_box()
    assert plane and view
    scale = plane["width"] / 320
    points = [(plane["x"] + x * scale, plane["y"] + y * scale) for x, y in (a, b)]
    if held:
        points[0] = (view["x"] + view["width"] * 0.6, view["y"] + view["height"] * 0.6)
        page.locator(".canvas-view").evaluate("view => view.scrollTo(9999, 9999)")
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=5)
    page.mouse.up()


@pytest.mark.parametrize(
    "task_type", ["text-classification", "text-multilabel", "text-spans", "image-boxes", "text-preference"]
)
def test_question_mark_lists_each_key_once(
    console: Console, alma: httpx.Client, signed_in: Window, task_type: str
) -> None:
    project = kinds.make(console, alma, task_type, labels=tuple("ABCD") if task_type != "text-preference" else ())
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    listed = [keys for keys in keys_listed(page).values() if keys]
    assert len(listed) == len(set(listed)), listed


def test_more_labels_than_keys_are_filtered_and_no_key_means_two_things(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    labels = tuple(f"Intent {number}" for number in range(40))
    project = kinds.make(console, alma, "text-classification", labels=labels)
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    first = answer(page, "e")  # E is the seventh place of the grid here, so changing an answer is Shift and E
    listed = keys_listed(page)
    assert listed["Change one of the last answers: arrows, then Enter"] == "Shift E"
    assert len(listed.values()) == len(set(listed.values()))
    second = answer(page, "/", *"intent 37", "Enter")
    all_saved(page)
    assert stored(console, project, 2) == {first: "Intent 6", second: "Intent 37"}


def test_the_desk_is_used_by_touch_on_a_small_phone(console: Console, alma: httpx.Client, signed_in: Window) -> None:
    page = signed_in("ada", **PHONE)
    spans = kinds.make(console, alma, "text-spans")
    open_desk(page, spans)
    text, said = text_of(current(page)), current(page)
    tap_word(page, "Paris")
    page.get_by_role("button", name="One word more").tap()
    page.get_by_role("button", name="Place").tap()
    page.get_by_role("button", name="Send 1 span").tap()
    all_saved(page)
    assert stored(console, spans, 1)[said] == {"spans": [span(text, "Paris two", "Place")]}

    boxes = kinds.make(console, alma, "image-boxes")
    open_desk(page, boxes)
    said = current(page)
    page.get_by_role("button", name="New box").tap()
    page.get_by_role("button", name="Square", exact=True).tap()
    page.get_by_role("button", name="Send 1 box").tap()
    all_saved(page)
    assert [box["label"] for box in stored(console, boxes, 1)[said]["boxes"]] == ["Square"]

    choice = kinds.make(console, alma, "text-classification")
    open_desk(page, choice)
    small = page.evaluate(
        """() => [...document.querySelectorAll("#desk :is(button, summary, a, input)")]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
            .map(e => `${e.id} ${e.className} ${e.getBoundingClientRect().height}`)"""
    )
    assert small == []
    said = current(page)
    page.get_by_role("button", name="Pending transfer").tap()
    page.locator("#skip summary").tap()
    page.get_by_role("button", name="Offensive").tap()
    all_saved(page)
    assert stored(console, choice, 1) == {said: "Pending transfer"}


def tap_word(page: Page, word: str) -> None:
    place = page.evaluate(
        """word => {
            const node = document.querySelector("#example [data-fill=text]").firstChild, at = node.data.indexOf(word);
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + word.length);
            const { left, top, width, height } = range.getClientRects()[0];
            return [left + width / 2, top + height / 2];
        }""",
        word,
    )
    page.touchscreen.tap(*place)
