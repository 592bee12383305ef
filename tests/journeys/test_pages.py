"""Every page: readable by everybody in light and dark, and not wider than a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.console import Console

pytestmark = pytest.mark.journey
PAGES = {
    "projects": "/projects/",
    "new-project": "/projects/new/",
    "loop": "/projects/{project}/",
    "projects-archived": "/projects/?show=archived",
    "data": "/projects/{project}/data/",
    "data-ranges": "/projects/{project}/data/?percent_min=0&percent_max=x&col=confidence",
    "deleted": "/projects/{project}/data/deleted/",
    "example": "/projects/{project}/data/{example}/",
    "refused": "/projects/{project}/data/refused/",
    "export": "/projects/{project}/data/export/",
    "versions": "/projects/{project}/data/versions/",
    "version": "/projects/{project}/data/versions/1/",
    "label": "/projects/{project}/label/",
    "bulk": "/projects/{project}/label/bulk/",
    "search": "/projects/{project}/label/search/?label=-",
    "runs": "/projects/{project}/runs/",
    "run": "/projects/{project}/models/runs/{run}/",
    "run-again": "/projects/{project}/models/runs/{run}/again/",
    "schedules": "/projects/{project}/runs/schedules/",
    "freshness": "/projects/{project}/learning/freshness/",
    "cost": "/projects/{project}/models/ledger/",
    "online": "/projects/{project}/runs/online/",
    "sweeps": "/projects/{project}/runs/sweeps/",
    "models": "/projects/{project}/models/",
    "model": "/projects/{project}/models/{version}/",
    "lineage": "/projects/{project}/models/{version}/lineage/",
    "compare": "/projects/{project}/models/compare/?runs=1,2",
    "compare-none": "/projects/{project}/models/compare/",
    "learning": "/projects/{project}/learning/",
    "quality": "/projects/{project}/quality/",
    "people": "/projects/{project}/quality/people/",
    "reviews": "/projects/{project}/quality/reviews/",
    "gold": "/projects/{project}/quality/gold/?text=1",
    "doubts": "/projects/{project}/quality/doubts/",
    "your-work": "/projects/{project}/quality/mine/",
    "monitor": "/projects/{project}/monitor/",
    "feedback": "/projects/{project}/feedback/",
    "sla": "/projects/{project}/sla/",
    "settings": "/projects/{project}/settings/",
    "label-edit": "/projects/{project}/settings/labels/{label}/",
    "project-rename": "/projects/{project}/settings/name/",
    "archive": "/projects/{project}/settings/archive/",
    "members": "/projects/{project}/members/",
    "audit": "/projects/{project}/audit/",
    "queue-settings": "/projects/{project}/settings/queue/",
    "sources": "/projects/{project}/settings/sources/",
    "source": "/projects/{project}/settings/sources/{source}/",
    "label-studio": "/projects/{project}/settings/label-studio/",
    "webhooks": "/projects/{project}/settings/webhooks/",
    "webhook": "/projects/{project}/settings/webhooks/{webhook}/",
    "notice-policy": "/projects/{project}/settings/notices/",
    "notices": "/notices/?state=all",
    "notice-choices": "/notices/choices/",
    "columns": "/projects/{project}/data/columns/",
    "rollout": "/projects/{project}/models/rollouts/{rollout}/",
    "report": "/projects/{project}/models/runs/{run}/report/",
    "gates": "/projects/{project}/models/gates/",
    "release-policy": "/projects/{project}/models/policy/",
    "account": "/account/",
    "api": "/api/",
    "encoders": "/encoders/",
    "console-people": "/people/",
    "console-person": "/people/{person}/",
    "console-trail": "/people/trail/",
    "not-found": "/projects/987654/",
}
STATUS = {"not-found": 404}
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
SEVERE = ("serious", "critical")


@pytest.fixture(scope="module")
def addresses(console: Console) -> dict[str, str]:
    """Of the demo project, with both laps played and one row refused."""
    console.played()
    with console.client("lin") as lin:
        project = console.project(lin, "Handwritten digits")
        run = console.get(lin, f"projects/{project}/runs/")["results"][0]["id"]
        version = console.get(lin, f"projects/{project}/models/")["results"][0]["id"]
        rollout = console.get(lin, f"projects/{project}/rollouts/")["results"][0]["id"]
        told = {"name": "On call", "url": "https://hooks.example.org/a", "verbs": ["alert.raised"]}
        webhook = console.post(lin, f"projects/{project}/webhooks/", **told)["id"]
        place = {"stream": "pictures"}
        source = console.post(lin, f"projects/{project}/sources/", name="Pictures", events="examples", place=place)[
            "id"
        ]
        console.post(lin, f"projects/{project}/sources/{source}/events/", events=[{"id": "no-picture"}])
        console.post(lin, f"projects/{project}/examples/", examples=[{"id": "broken", "image": "no picture"}])
        found = {
            "project": project,
            "run": run,
            "version": version,
            "rollout": rollout,
            "webhook": webhook,
            "source": source,
            "example": console.get(lin, f"projects/{project}/examples/?labeled=true")["results"][0]["id"],
            "label": console.get(lin, f"projects/{project}/schema/")["results"][0]["id"],
        }
    with console.client("alma") as alma:
        found["person"] = console.get(alma, f"projects/{project}/members/")["results"][0]["user_id"]
    return {name: address.format(**found) for name, address in PAGES.items()}


def settle(page: Page, address: str, *, status: int = 200) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status, f"{address} answers {answer.status}"
    quiet(page)


def quiet(page: Page) -> None:
    """Wait until every chart and every part that comes later is there, and two frames were painted."""
    page.wait_for_function(
        """() => document.readyState === "complete" && !document.querySelector(".htmx-request, .canvas[aria-busy]")"""
    )
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def violations(page: Page, *, colors_only: bool = False) -> list[str]:
    only = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}} if colors_only else None
    found = Axe().run(page, options=only).response["violations"]
    return [
        f"{v['impact']} {v['id']}: {node['target']} {node['failureSummary'][:160]}"
        for v in found
        if v["impact"] in SEVERE
        for node in v["nodes"][:5]
    ]


def undrawn(page: Page) -> list[str]:
    """Charts that could not be drawn: their page stands, and says so where the chart would be."""
    broken = page.locator("[data-figure-url] .canvas", has_text="The chart could not be fetched")
    return [f"no chart: {box.get_attribute('aria-label')}" for box in broken.all()]


def too_wide(page: Page) -> list[str]:
    """What sticks out to the right, when the page itself can be scrolled sideways."""
    return list(
        page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll-x"))
                .slice(0, 8).map(e => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`)"""
        )
    )


def test_no_page_has_a_serious_fault_of_access_in_light_or_dark(
    addresses: dict[str, str], signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    """Dark differs from light in its colors alone, and is reached as a person reaches it: with the page open."""
    page = signed_in("alma", color_scheme="light", viewport=DESK)
    faults = {}
    for name, address in [*addresses.items(), ("sign-in", "/sign-in/")]:
        if name == "sign-in":
            page.context.clear_cookies()
        page.emulate_media(color_scheme="light")
        settle(page, address, status=STATUS.get(name, 200))
        picture(page, f"{name}-light")
        faults[name] = violations(page) + undrawn(page)
        page.emulate_media(color_scheme="dark")
        quiet(page)
        picture(page, f"{name}-dark")
        faults[name] += violations(page, colors_only=True)
    assert {name: found for name, found in faults.items() if found} == {}


def test_no_page_scrolls_sideways_on_a_phone(
    addresses: dict[str, str], signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    page = signed_in("alma", viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    wide = {}
    for name, address in addresses.items():
        settle(page, address, status=STATUS.get(name, 200))
        picture(page, f"{name}-phone")
        wide[name] = too_wide(page) + undrawn(page)
        sideways = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if sideways > 0 and not wide[name]:
            wide[name] = [f"{sideways} pixels too wide"]
    assert {name: found for name, found in wide.items() if found} == {}


def test_an_annotator_meets_no_fault_of_access_at_the_places_she_may_open(
    addresses: dict[str, str], signed_in: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    page = signed_in("ada", viewport=DESK)
    faults = {}
    for name in ("projects", "loop", "label", "runs"):  # the last one refuses her in words
        settle(page, addresses[name], status=403 if name == "runs" else 200)
        picture(page, f"{name}-ada")
        faults[name] = violations(page)
    assert {name: found for name, found in faults.items() if found} == {}
