"""From shifted traffic to the closed alarm, in the browser: the circle that the console is for."""

import re
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.console import Console, until
from tests.journeys.desk import all_saved, current, gone, open_desk
from tests.journeys.test_pages import DESK, PHONE, quiet, settle, too_wide, violations
from tests.loops import REASON

pytestmark = pytest.mark.journey
NAME, LANE = "Loans", 30
LENIENT = {  # v1 is as good as v2 on a holdout without the new kind of loan
    "gates": [{"type": name} for name in ("loads", "schema", "holdout")]
    + [{"type": "gain", "parameters": {"allowedLoss": 0.3}}]
}
Loan = dict[str, float]


def loans(n: int, *, seed: int) -> list[Loan]:
    """As they have always been: who earns more than 50 pays back."""
    return [{"income": float(income), "debt": float(debt)} for income, debt in _drawn(n, seed, (0, 100), (0, 40))]


def new_loans(n: int, *, seed: int) -> list[Loan]:
    """Of another kind: much income and more debt than anybody had, and nobody pays back."""
    return [{"income": float(income), "debt": float(debt)} for income, debt in _drawn(n, seed, (60, 100), (55, 75))]


def _drawn(
    n: int, seed: int, income: tuple[int, int], debt: tuple[int, int]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(*income, n).round(1), rng.uniform(*debt, n).round(1)])


def pays(loan: Loan) -> str:
    return "yes" if loan["income"] > 50 and loan["debt"] < 50 else "no"


def serving(console: Console, lin: httpx.Client) -> tuple[int, str]:
    """A project of 500 labeled loans whose v1 serves, and that keeps what it is asked; its id and slug."""
    labels = [{"name": "yes"}, {"name": "no"}]
    made = console.post(
        lin, "projects/", name=NAME, task_type="tabular-classification", labels=labels, holdout_share=0.3
    )
    project, rows = int(made["id"]), loans(500, seed=1)
    given = [{"id": f"loan-{i}", **loan, "label": pays(loan)} for i, loan in enumerate(rows)]
    console.post(lin, f"projects/{project}/members/", username="ada", role="annotator")
    for address, body in (("trigger", {"enabled": False}), ("feedback-settings", {"payloads": "all"})):
        answer = lin.patch(f"/api/v1/projects/{project}/{address}/", json=body)
        assert answer.status_code == 200, answer.text
    console.post(lin, f"projects/{project}/examples/", examples=given)
    answer = lin.put(f"/api/v1/projects/{project}/gate-policy/", json={"policy": LENIENT})
    assert answer.status_code == 200, answer.text
    run = console.judged(lin, int(console.post(lin, f"projects/{project}/runs/", kind="full")["id"]), within_s=120)
    version = until(
        lambda: next(iter(console.get(lin, f"projects/{project}/models/")["results"]), {}), "the run became no model"
    )
    assert run["state"] == "completed", run
    console.post(lin, f"models/{version['id']}/promote/", reason=REASON)
    return project, str(made["slug"])


def ask(console: Console, slug: str, rows: list[Loan]) -> httpx.Response:
    inputs = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": [row[name] for row in rows]}
        for name in ("income", "debt")
    ]
    address = f"{console.predictor_url}/v2/models/{slug}/infer"
    return httpx.post(address, json={"inputs": inputs}, headers=console.predictor_headers, timeout=30)


def look(page: Page, picture: Callable[[Page, str], None], name: str) -> None:
    """A page of the circle for everybody: light, dark, on a phone; left as it was."""
    faults = []
    for scheme, size in (("light", DESK), ("dark", DESK), ("light", PHONE)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        quiet(page)
        picture(page, f"mending-{name}-{scheme}-{size['width']}")
        faults += violations(page, colors_only=scheme == "dark") + too_wide(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    assert faults == [], name


def label_lane(page: Page, project: int) -> None:
    """Everything that the alarm asks for, as the two numbers on screen say it, by keyboard; a second look may come between."""
    open_desk(page, project)
    asked = 0
    while asked < LANE:
        expect(page.locator("#task")).to_be_visible()
        before, shown = current(page), page.locator("#task").inner_text()
        asked += "From the alarm of" in shown
        income, debt = (float(re.search(rf"{name}\s+([\d.]+)", shown)[1]) for name in ("income", "debt"))  # type: ignore[index]
        page.keyboard.press("1" if pays({"income": income, "debt": debt}) == "yes" else "2")
        gone(page, before)
    all_saved(page)


def test_an_alarm_is_followed_from_shifted_traffic_to_the_mended_model(
    console: Console, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    with console.client("lin") as lin:
        project, slug = serving(console, lin)
        page = signed_in("lin", viewport=DESK)
        settle(page, f"/projects/{project}/alarms/policy/")
        page.get_by_label("Examples at most").fill(str(LANE))
        page.get_by_label("Labels until the run").fill(str(LANE))
        look(page, picture, "policy")
        page.get_by_role("button", name="Set what an alarm does").first.click()
        expect(page.get_by_text("Open alarms follow it from now on")).to_be_visible()

        until(lambda: ask(console, slug, loans(30, seed=2)).status_code == 200, "v1 does not answer")
        assert ask(console, slug, new_loans(90, seed=3)).status_code == 200
        until(
            lambda: console.get(lin, f"projects/{project}/predictions/?page_size=1000")["results"][119:],
            "the answers are not logged",
        )
        settle(page, f"/projects/{project}/monitor/")
        page.get_by_role("button", name="Check for drift").click()
        expect(page.locator("#alerts").get_by_role("alert")).to_be_visible()
        expect(page.locator("#alerts").get_by_role("button", name="Ask for labels")).to_be_visible()
        expect(page.locator("#alerts")).to_contain_text("yes")
        look(page, picture, "alert")

        page.locator("#alerts").get_by_role("link", name="Alarm").click()
        expect(page.get_by_role("heading", name="What follows from it")).to_be_visible()
        alarm = page.url
        page.get_by_role("button", name="Ask for labels").click()
        expect(page.locator(".follow")).to_contain_text(f"{LANE} requests of its window were put before people")
        look(page, picture, "asked")

        open_desk(page, project)
        look(page, picture, "desk")
        label_lane(page, project)
        page.goto(alarm)
        page.get_by_role("button", name="Start the run").click()
        expect(page.locator(".follow")).to_contain_text("Release v2 on Models: accuracy on the slice", timeout=60_000)
        look(page, picture, "trained")

        page.locator(".follow").get_by_role("link", name="Release it under Models").click()
        page.locator("summary", has_text="Promote v2").click()
        page.locator("details[open] .pop").get_by_role("button", name="Promote v2").click()
        expect(page.get_by_text("v2 is champion")).to_be_visible()
        until(lambda: ask(console, slug, new_loans(1, seed=4)).json()["model_version"] == "2", "v2 does not answer")
        page.goto(f"/projects/{project}/monitor/")
        expect(page.locator("#alerts").get_by_role("alert")).to_have_count(0)
    closed = page.get_by_text("Closed by itself: accuracy on the slice").first
    expect(closed).to_be_visible()
    before, after = (int(n) for n in re.search(r"slice (\d+) % → (\d+) %", closed.inner_text()).groups())  # type: ignore[union-attr]
    assert before < 50 < 80 <= after and f"{LANE} labels" in closed.inner_text()
    look(page, picture, "closed")
