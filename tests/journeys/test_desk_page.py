"""The desk around the answers: undo and change, keys off, flag, comment, review, checks, access, and the speed of a key."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.console import Console, until
from tests.journeys import kinds
from tests.journeys.desk import (
    PHONE,
    WIDE,
    Window,
    all_saved,
    answer,
    answers_of,
    current,
    keys_listed,
    open_desk,
    past_of,
    press,
    stored,
)
from tests.journeys.paint import key_to_paint_ms, painted_and_replied, percentile, slow_network
from tests.journeys.test_pages import too_wide, violations

pytestmark = pytest.mark.journey
EVIL = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>&amp;'
FIRST, SECOND, THIRD = kinds.LABELS["text-classification"]
TYPES = sorted(kinds.LABELS)


@pytest.fixture(scope="module")
def alma(console: Console) -> Any:
    with console.client("alma") as client:
        yield client


def shows(page: Page, external_id: str) -> None:
    page.wait_for_function("id => document.querySelector('#example').dataset.external === id", arg=external_id)


def test_twenty_answers_are_undone_one_by_one(console: Console, alma: httpx.Client, signed_in: Window) -> None:
    project = kinds.make(console, alma, "text-classification", count=30)
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    given = [answer(page, "1") for _ in range(21)]
    until(lambda: answers_of(console, "ada", project) == 21, "not all arrived")
    page.reload()
    expect(page.locator("#undo-list li")).to_have_count(20)
    for external_id in reversed(given[1:]):
        press(page, "z")
        shows(page, external_id)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    assert answers_of(console, "ada", project) == 1
    assert stored(console, project, 1) == {given[0]: FIRST}


def test_an_old_answer_is_opened_with_what_was_said_and_replaced(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-multilabel")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    first, second = answer(page, "1", "Enter"), answer(page, "2", "Enter")
    until(lambda: answers_of(console, "ada", project) == 2, "not both arrived")
    now = current(page)
    press(page, "3", "e", "ArrowDown", "Enter")
    shows(page, first)
    expect(page.locator("#why")).to_contain_text("You answered “Urgent”. What you send now replaces it.")
    expect(page.get_by_role("button", name="Urgent", exact=True)).to_have_attribute("aria-pressed", "true")
    press(page, "4", "Enter")
    shows(page, now)
    expect(page.get_by_role("button", name="Money", exact=True)).to_have_attribute("aria-pressed", "true")
    wanted = {first: {"labels": ["Urgent", "Travel"]}, second: {"labels": ["Angry"]}}
    until(lambda: stored(console, project, 2) == wanted, "the change did not arrive")
    assert answers_of(console, "ada", project) == 2


def test_single_keys_are_turned_off_and_the_buttons_still_work(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.get_by_role("button", name="Keys").click()
    page.locator("#keys-on").uncheck()
    page.get_by_role("button", name="Close the list").click()
    for _ in range(2):  # the second time after a reload: it is remembered
        shown = current(page)
        press(page, "1", "x", "z", "?")
        assert current(page) == shown
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.reload()
        expect(page.locator("#task")).to_be_visible()
    shown = current(page)
    page.locator("#example").focus()
    press(page, "Tab", "Tab", "Enter")
    page.wait_for_function("id => document.querySelector('#example').dataset.external !== id", arg=shown)
    assert stored(console, project, 1) == {shown: SECOND}


def test_a_skip_a_flag_and_a_comment_go_with_the_answer(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification")
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    press(page, "Shift+F", "Shift+C")
    page.keyboard.type("1 and 2 could both be right")
    press(page, "Enter")
    expect(page.locator("#comment-state")).to_contain_text("A comment goes with this answer.")
    answer(page, "2")
    answer(page, "x", "4")
    until(lambda: answers_of(console, "ada", project) == 2, "not both arrived")
    skipped, said = past_of(console, "ada", project)
    assert (said["answer"], said["comment"], said["flagged"]) == (SECOND, "1 and 2 could both be right", True)
    assert (skipped["skip_reason"], skipped["comment"], skipped["flagged"]) == ("language", "", False)


def test_what_people_wrote_is_shown_as_text_whatever_it_is(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    for task_type in ("text-classification", "text-spans", "text-preference"):
        labels = () if task_type == "text-preference" else (EVIL[:70], "ham")
        project = kinds.make(console, alma, task_type, count=1, labels=labels, guidelines=EVIL)
        rows = [{"id": f"e{n}", "text": f"{EVIL} {n}", "prompt": EVIL, "a": f"{EVIL} {n}", "b": EVIL} for n in range(4)]
        kinds.add(console, alma, project, rows)
        page = signed_in("ada", **WIDE)
        open_desk(page, project)
        while current(page) == "row-0":
            answer(page, "x", "1")
        expect(page.locator("#example")).to_contain_text(EVIL)
        if task_type == "text-spans":
            press(page, "ArrowRight", "1", "Enter")
        else:
            answer(page, "1")
        page.wait_for_timeout(300)
        assert page.evaluate("window.bad") is None
        assert page.locator("#desk img, #desk script").count() == 0


def review_of(console: Console, alma: httpx.Client, task_type: str, votes: list[Any]) -> int:
    """A project with one open review: Ada and Rosa have said different things."""
    project = kinds.make(console, alma, task_type, count=1, overlap=2)
    for who, said in zip(("ada", "rosa"), votes, strict=True):
        with console.client(who) as client:
            headers = {"Accept": "application/json"}
            given = client.post(f"/projects/{project}/label/next/", json={"count": 1}, headers=headers).json()[
                "assignments"
            ][0]
            body = {
                "client_id": f"00000000-0000-4000-8000-{project:06d}{len(who):06d}",
                "assignment": given["id"],
                "token": given["token"],
            }
            reply = client.post(f"/projects/{project}/label/answer/", json=body | said, headers=headers)
            assert reply.status_code == 200, reply.text
    return project


def test_a_reviewer_sees_the_answers_and_says_why_they_differed(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    spans = [{"value": {"spans": [{"start": 0, "end": 1, "label": "Person"}]}}, {"value": {"spans": []}}]
    project = review_of(console, alma, "text-spans", spans)
    page = signed_in("alma", **WIDE)
    open_desk(page, project, "?lane=review")
    expect(page.locator("#votes li")).to_have_count(2)
    expect(page.locator("#votes")).to_contain_text("1 Person")
    expect(page.locator("#votes")).not_to_contain_text("Ada")
    page.get_by_role("button", name="Start from this").first.click()
    press(page, "Enter")
    expect(page.locator("#findings")).to_have_class("findings asking")
    assert violations(page) == []
    press(page, "2")
    expect(page.locator("#empty")).to_be_visible()
    assert stored(console, project, 1)["row-0"] == {"spans": [{"start": 0, "end": 1, "label": "Person"}]}


@pytest.mark.parametrize("task_type", TYPES)
def test_the_desk_of_each_kind_has_no_serious_fault_of_access_and_fits_a_phone(
    console: Console, alma: httpx.Client, signed_in: Window, picture: Any, task_type: str
) -> None:
    project = kinds.make(console, alma, task_type, guidelines="# Rules\n\nWhat the sender *means* counts.")
    for name, options in {"light": WIDE, "dark": {**WIDE, "color_scheme": "dark"}, "phone": PHONE}.items():
        page = signed_in("ada", **options)
        open_desk(page, project)
        start(page, task_type)
        picture(page, f"desk-{task_type}-{name}")
        assert violations(page) == []
        assert too_wide(page) == []
        for opened in (".desk-top [data-open-keys]", "#skip summary", "#remark summary"):
            page.locator(opened).click()
            assert violations(page) == []
            press(page, "Escape")
        page.evaluate("document.querySelector('#sign-in').showModal()")
        assert violations(page) == []


def start(page: Page, task_type: str) -> None:
    """Half an answer, so that there is something to see."""
    if task_type == "text-spans":
        press(
            page,
            "ArrowRight",
            "ArrowRight",
            "ArrowRight",
            "Shift+ArrowRight",
            "1",
            "ArrowRight",
            "ArrowRight",
            "2",
            "ArrowRight",
        )
    elif task_type == "image-boxes":
        page.wait_for_function("() => document.querySelector('.plane img').naturalWidth > 0")
        press(page, "n", "1", "ArrowLeft")
    elif task_type == "text-multilabel":
        press(page, "1", "3")


def test_the_next_example_is_painted_before_the_console_has_replied(
    console: Console, alma: httpx.Client, signed_in: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    project = kinds.make(console, alma, "text-classification", count=80)
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    slow_network(page)
    page.wait_for_timeout(600)
    found = key_to_paint_ms(page, 40)
    with capsys.disabled():
        print(
            f"\nkey to next example painted: p50 {percentile(found, 0.5):.0f} ms, p95 {percentile(found, 0.95):.0f} ms"
        )
    for moment in painted_and_replied(page):
        assert moment["replied"] is not None
        assert moment["painted"] < moment["replied"]
    all_saved(page)
    until(lambda: answers_of(console, "ada", project) == 40, "not all arrived")


def test_a_wrong_answer_to_a_known_example_is_told_beside_the_next_one(
    console: Console, alma: httpx.Client, signed_in: Window
) -> None:
    project = kinds.make(console, alma, "text-classification")
    page = signed_in("ada", **WIDE)
    page.route("**/label/answer/", checked)
    open_desk(page, project)
    before = answer(page, "1")
    expect(page.locator("#gold")).to_contain_text(f"A check: you said {FIRST}, the known answer is {THIRD}.")
    expect(page.locator("#gold")).to_contain_text("The money went back.")
    assert current(page) != before
    assert keys_listed(page)["Close the note about the check"] == "Esc"
    press(page, "Escape")
    expect(page.locator("#gold")).to_be_hidden()


def checked(route: Any) -> None:
    """The console's reply, with the verdict on a gold example in it."""
    reply = route.fetch()
    told = reply.json()
    told["saved"]["gold"] = {
        "right": False,
        "expected": {"label": THIRD},
        "words": THIRD,
        "explanation": "The money went back.",
    }
    route.fulfill(response=reply, json=told)
