"""Online learning and a sweep, from the click to the model, with the console's own worker; their pages to everybody."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console import Console, until
from tests.journeys.test_pages import DESK, PHONE, settle, too_wide, violations
from tests.workers.mail import texts

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def project(console: Console) -> int:
    """Alma's own, with 220 labeled texts: the demo has too few labels for a sweep."""
    console.played()
    labels = [{"name": "ham"}, {"name": "spam"}]
    with console.client("alma") as alma:
        made = console.post(alma, "projects/", name="Mail", task_type="text-classification", labels=labels)
        console.post(alma, f"projects/{made['id']}/examples/", examples=texts(0, 220, labeled=True))
    return int(made["id"])


def read(console: Console, address: str) -> dict[str, Any]:
    with console.client("alma") as alma:
        return dict(console.get(alma, address))


def test_alma_switches_online_learning_on_and_makes_a_model(
    console: Console, project: int, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    page = signed_in("alma", viewport=DESK)
    settle(page, f"/projects/{project}/runs/online/")
    expect(page.get_by_role("heading", name="Nothing learned yet")).to_be_visible()
    page.get_by_label("Learn every label as it comes").check()
    page.get_by_label("Examples between two models").fill("1000")
    page.get_by_role("button", name="Save").click()
    # the worker has read every label
    expect(page.get_by_role("button", name="Make a model now")).to_be_enabled(timeout=120_000)
    page.get_by_role("button", name="Make a model now").click()
    expect(page.get_by_role("heading", name="Models made of it")).to_be_visible(timeout=90_000)
    until(lambda: bool(read(console, f"projects/{project}/online/")["last_run"]), "no run was recorded", within_s=60)
    settle(page, f"/projects/{project}/runs/online/")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    picture(page, "online")


def test_alma_sweeps_and_the_best_recipe_becomes_a_run(
    console: Console, project: int, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    page = signed_in("alma", viewport=DESK)
    settle(page, f"/projects/{project}/runs/sweeps/")
    page.get_by_role("checkbox", name="Epochs", exact=True).check()
    page.get_by_label("Epochs, from").fill("2")
    page.get_by_label("Epochs, to").fill("6")
    page.get_by_label("Trials").fill("5")
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_url(re.compile(r"/sweeps/\d+/$"))
    expect(page.get_by_role("link", name="trains the best recipe on all labels")).to_be_visible(timeout=150_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    picture(page, "sweep")
    sweep = page.url.rstrip("/").rsplit("/", 1)[1]
    run = read(console, f"sweeps/{sweep}/")["run"]
    until(
        lambda: read(console, f"runs/{run}/")["state"] == "completed", "the best recipe was not trained", within_s=120
    )


def test_their_pages_are_readable_by_everybody_and_fit_a_phone(
    project: int, signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    faults: dict[str, list[str]] = {}
    for scheme, size in (("light", DESK), ("dark", DESK), ("dark", PHONE)):
        page = signed_in("alma", color_scheme=scheme, viewport=size)
        for name in ("online", "sweeps", "sweep"):
            if name == "sweep":
                page.get_by_role("link", name="Sweep 1").click()
                page.wait_for_load_state("networkidle")
            else:
                settle(page, f"/projects/{project}/runs/{name}/")
            picture(page, f"{name}-{scheme}-{size['width']}")
            faults[f"{name} {scheme} {size['width']}"] = violations(page) + too_wide(page)
    assert {name: found for name, found in faults.items() if found} == {}
