"""The rail marks where a reader is: each page of a project lights the entry that leads to it, and no other."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from django.urls import resolve

from tests.architecture.test_doors import IN_BODY, lived_in
from tests.architecture.test_roles import ROUTES, TABLE, Things, world

__all__ = ["world"]
RAIL = re.compile(r'<nav class="rail".*?</nav>', re.S)
PLACE = re.compile(r"<li[^>]*>\s*<a href=\"([^\"]+)\"([^>]*)>")
# The entry of a page, by the beginning of its name; the longest beginning counts.
ENTRY = {
    "bulk:": "bulk:search",
    "bulk:bulk": "bulk:search",
    "closing:": "projects:settings",
    "columns": "datasets:data",
    "datasets:": "datasets:data",
    "evaluation:": "evaluation:learning",
    "evaluation:freshness": "training:runs",
    "examples:": "datasets:data",
    "feedback:": "feedback:feedback",
    "gates:": "releases:models",
    "labeling:desk": "labeling:desk",
    "lineage:": "training:runs",
    "lineage:lineage": "releases:models",
    "loop:": "loop:overview",
    "loop:columns": "datasets:data",
    "mending:": "monitoring:monitor",
    "monitoring:": "monitoring:monitor",
    "monitors:": "monitoring:monitor",
    "notice_policy:": "projects:settings",
    "projects:audit": "projects:audit",
    "projects:members": "projects:members",
    "projects:": "projects:settings",
    "quality:": "quality:overview",
    "queue:": "projects:settings",
    "releases:": "releases:models",
    "reports:": "training:runs",
    "setup:": "projects:settings",
    "slas:": "slas:sla",
    "sources:": "projects:settings",
    "label_studio:": "projects:settings",
    "training:": "training:runs",
    "transfer:": "datasets:data",
    "webhooks:": "projects:settings",
}


def entry_of(name: str) -> str:
    return ENTRY[max((begin for begin in ENTRY if name.startswith(begin)), key=len)]


def test_every_page_lights_its_own_entry_of_the_rail(world: Things) -> None:
    lived_in(world)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = world.session_of("admin")
    seen, wrong = 0, []
    for route in ROUTES:
        if route.is_api or "admin" not in TABLE.get(route.name, {}).get("GET", ()):
            continue
        answer = client.get(world.address(route, "admin"))
        page = answer.content.decode() if "html" in answer.get("Content-Type", "") else ""
        rail = RAIL.search(page)
        if answer.status_code != 200 or not IN_BODY.search(page[:2000]) or not rail or 'data-project="' not in page:
            continue
        seen += 1
        lit = {
            resolve(urlsplit(href).path).view_name
            for href, marks in PLACE.findall(rail[0])
            if 'aria-current="page"' in marks
        }
        if lit != {entry_of(route.name)}:
            wrong.append(f"{route.name} lights {sorted(lit)}, not {entry_of(route.name)}")
    assert wrong == []
    assert seen > 30
