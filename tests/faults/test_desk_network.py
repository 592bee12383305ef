"""The desk in a real browser while the network, the page, the tab and the session go away: nothing lost, nothing doubled."""

import contextlib

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.console import Console, until
from tests.journeys import kinds
from tests.journeys.conftest import CHROMIUM, browser, foreign, signed_in
from tests.journeys.desk import WIDE, Window, all_saved, answer, answers_of, gone, open_desk, press, stored

__all__ = ["browser", "foreign", "signed_in"]
pytestmark = [pytest.mark.fault, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")]
SENDS = "**/label/answer/"
FIRST, SECOND = kinds.LABELS["text-classification"][:2]


@pytest.fixture
def project(console: Console) -> int:
    with console.client("alma") as alma:
        return kinds.make(console, alma, "text-classification", count=30)


def dropped(route: Route) -> None:
    """The request arrives; its reply is lost. A page that has given it up meanwhile loses it too."""
    route.fetch()
    with contextlib.suppress(Error):
        route.abort()


def waits(page: Page, count: int) -> None:
    words = "1 answer waits to be sent" if count == 1 else f"{count} answers wait to be sent"
    expect(page.locator("#outbox")).to_contain_text(words)


def exactly(console: Console, project: int, said: dict[str, str]) -> None:
    """Each answer of Ada's is there, once, and nothing else."""
    assert stored(console, project, len(said)) == said
    assert answers_of(console, "ada", project) == len(said)


def test_a_reply_lost_on_the_way_a_dead_network_and_a_reload_lose_and_double_nothing(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    said = {answer(page, "1"): FIRST}
    all_saved(page)
    page.route(SENDS, dropped)
    said[answer(page, "2")] = SECOND  # stored by the console, unknown to the page
    page.context.set_offline(True)
    said |= {answer(page, "1"): FIRST, answer(page, "2"): SECOND}
    waits(page, 3)
    expect(page.locator("#waiting")).to_contain_text("Not connected since")
    page.unroute(SENDS)
    page.context.set_offline(False)
    page.reload()
    all_saved(page)
    said[answer(page, "1")] = FIRST
    all_saved(page)
    exactly(console, project, said)


def test_answers_of_a_closed_tab_leave_when_the_desk_is_opened_again(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.route(SENDS, lambda route: route.abort())
    said = {answer(page, "1"): FIRST, answer(page, "2"): SECOND, answer(page, "2"): SECOND}
    waits(page, 3)
    again = page.context.new_page()
    page.close()
    open_desk(again, project)
    all_saved(again)
    expect(again.locator("#undo-list li")).to_have_count(3)
    exactly(console, project, said)


def test_an_expired_session_is_opened_again_in_place_and_the_answers_leave(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.context.clear_cookies(name="sessionid")
    said = {answer(page, "1"): FIRST}
    dialog = page.get_by_role("dialog", name="Sign in and go on")
    expect(dialog).to_contain_text("One answer waits in this browser")
    dialog.get_by_role("button", name="Later").click()
    said[answer(page, "2")] = SECOND  # the examples that are here can still be answered
    waits(page, 2)
    page.locator("#outbox").get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Password").fill(console.password)
    press(page, "Enter")
    expect(dialog).to_be_hidden()
    all_saved(page)
    said[answer(page, "1")] = FIRST
    all_saved(page)
    exactly(console, project, said)


def test_who_signs_in_in_between_sends_nothing_of_somebody_else(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.context.clear_cookies(name="sessionid")
    said = {answer(page, "1"): FIRST}
    dialog = page.get_by_role("dialog", name="Sign in and go on")
    dialog.get_by_label("User name").fill("rosa")
    dialog.get_by_label("Password").fill(console.password)
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.locator("#empty")).to_contain_text("This is no longer your session")
    expect(page.locator("#waiting")).to_contain_text("One answer is kept in this browser.")
    page.reload()
    expect(page.locator("#strangers")).to_contain_text("One answer by somebody else waits in this browser.")
    answer(page, "2")
    all_saved(page)
    until(lambda: answers_of(console, "rosa", project) == 1, "Rosa's answer did not arrive")
    assert answers_of(console, "ada", project) == 0

    page.context.clear_cookies(name="sessionid")
    page.goto(f"/sign-in/?next=/projects/{project}/label/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(console.password)
    page.get_by_role("button", name="Sign in").click()
    all_saved(page)
    found = stored(console, project, 2)
    assert (said.items() <= found.items(), len(found)) == (True, 2)
    assert answers_of(console, "ada", project) == 1


def test_undo_and_change_work_while_answers_wait(console: Console, project: int, signed_in: Window) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.route(SENDS, dropped)
    tried = answer(page, "1")  # on its way, nobody knows how far
    waits(page, 1)
    page.context.set_offline(True)
    changed, undone = answer(page, "1"), answer(page, "1")
    press(page, "z")
    page.wait_for_function("id => document.querySelector('#example').dataset.external === id", arg=undone)
    again = answer(page, "2")
    assert again == undone
    press(page, "e", "ArrowDown", "Enter")
    page.wait_for_function("id => document.querySelector('#example').dataset.external === id", arg=changed)
    answer(page, "2")
    press(page, "e", "ArrowDown", "ArrowDown", "Enter")
    page.wait_for_function("id => document.querySelector('#example').dataset.external === id", arg=tried)
    answer(page, "2")
    page.unroute(SENDS)
    page.context.set_offline(False)
    all_saved(page)
    exactly(console, project, {tried: SECOND, changed: SECOND, again: SECOND})


def test_an_undo_of_an_answer_whose_reply_was_lost_gives_the_example_back_and_takes_the_new_answer(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    page.route(SENDS, dropped)
    first = answer(page, "1")
    waits(page, 1)
    press(page, "z")
    page.wait_for_function("id => document.querySelector('#example').dataset.external === id", arg=first)
    assert answer(page, "2") == first
    page.unroute(SENDS)
    all_saved(page)
    exactly(console, project, {first: SECOND})


def test_two_tabs_share_the_outbox_and_answer_different_examples(
    console: Console, project: int, signed_in: Window
) -> None:
    page = signed_in("ada", **WIDE)
    open_desk(page, project)
    other = page.context.new_page()
    open_desk(other, project)
    expect(page.locator("#others")).to_contain_text("open in another tab too")
    expect(other.locator("#others")).to_contain_text("open in another tab too")
    for tab in (page, other):
        tab.route(SENDS, lambda route: route.abort())
    said: dict[str, str] = {}
    for _ in range(3):
        for tab, key, label in ((page, "1", FIRST), (other, "2", SECOND)):
            shown = answer(tab, key)
            assert shown not in said, "both tabs showed the same example"
            said[shown] = label
    waits(page, 6)
    waits(other, 6)
    for tab in (page, other):
        tab.unroute(SENDS)
    all_saved(page)
    all_saved(other)
    exactly(console, project, said)
    other.close()
    expect(page.locator("#others")).to_be_hidden()
    gone(page, answer(page, "1"))
