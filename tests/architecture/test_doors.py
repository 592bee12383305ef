"""Every page is linked from another page for each role that may open it: what nobody can reach does not exist.

Each role walks from the list of projects over what the pages link to, as a person with a mouse would.
"""

import re
import uuid
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve

from apps.datasets.models import DeadLetter, Ingestion
from apps.labeling.models import Annotation, Assignment, AssignmentState, Lane
from tests.architecture.test_roles import ROLES, ROUTES, TABLE, Route, Things, world
from tests.conftest import NOON

__all__ = ["world"]
LINK = re.compile(r"""<a\b[^>]*?\bhref=["']([^"']+)["']""", re.S)
FORM = re.compile(r"""<form\b(?=[^>]*\bmethod=["']get["'])[^>]*?\baction=["']([^"']+)["']""", re.S)
FRAGMENT = re.compile(r"""\bhx-get=["']([^"']+)["']""")
IN_BODY = re.compile(r"<!doctype html", re.I)
NOT_LINKED = {
    "": "an address that people type; it leads to the projects",
    "accounts:sign_in": "shown to whoever is not signed in",
    "accounts:sign_in_here": "the desk opens it in place when a session has ended",
    "api-schema": "read by programs; the page of the API loads it",
    "accounts:link": "sent to one person once, to come in or to choose a new password",
}


def lived_in(world: Things) -> None:
    """A refused row and an answer, which lists need before they link to anything."""
    ingestion = Ingestion.objects.get(pk=world.ids["ingestion_id"])
    Ingestion.objects.filter(pk=ingestion.pk).update(rows_refused=1)
    DeadLetter.objects.create(
        project=world.project, ingestion=ingestion, row_number=1, reason="No id.", raw="{}", at=NOON
    )
    about = {"project": world.project, "example_id": world.ids["example_id"]}
    assignment = Assignment.objects.create(
        **about,
        slot=0,
        holder=world.people["annotator"],
        state=AssignmentState.ANSWERED,
        token=uuid.uuid4(),
        leased_at=NOON,
        leased_until=NOON,
        lane=Lane.ACTIVE,
        rank=1,
    )
    Annotation.objects.create(
        **about,
        assignment=assignment,
        annotator=world.people["annotator"],
        client_id=uuid.uuid4(),
        label=world.project.labels.first(),
        shown_at=NOON,
        answered_at=NOON,
        active_ms=1200,
    )


def links_of(page: str, at: str) -> Iterator[str]:
    for found in (*LINK.findall(page), *FORM.findall(page)):
        yield urlsplit(urljoin(at, unescape(found)))._replace(fragment="").geturl()


def name_of(address: str) -> str:
    try:
        found = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    return "" if found.url_name == "home" else str(found.view_name)


def reached(client: Client, start: str) -> set[str]:
    """Names of all pages that links lead to, one address of each is enough; fragments count as part of their page."""
    waiting, seen, opened = [start], set[str](), set[str]()
    while waiting:
        address = waiting.pop()
        if address in opened or len(opened) > 400:
            continue
        opened.add(address)
        answer = client.get(address, follow=True)
        if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
            continue
        page = answer.content.decode()
        for fragment in FRAGMENT.findall(page):
            waiting.append(urljoin(address, unescape(fragment)))
        for link in links_of(page, address):
            name, known = name_of(link), link.split("?")[0]
            if name and (name not in seen or known not in {a.split("?")[0] for a in (*opened, *waiting)}):
                seen.add(name)
                waiting.append(link)
    return seen


def is_page(client: Client, world: Things, route: Route, person: str) -> bool:
    answer = client.get(world.address(route, person))
    whole = answer.status_code == 200 and "html" in answer.get("Content-Type", "")
    return whole and bool(IN_BODY.search(answer.content.decode()[:2000]))


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_page_is_linked_for_the_roles_that_may_open_it(world: Things, role: str) -> None:
    lived_in(world)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = world.session_of(role)
    linked = reached(client, "/projects/")
    pages = [
        r for r in ROUTES if not r.is_api and r.name not in NOT_LINKED and role in TABLE[r.name].get("GET", frozenset())
    ]
    assert len(pages) > 8
    unreachable = [r.name for r in pages if r.name not in linked and is_page(client, world, r, role)]
    assert unreachable == [], f"nothing leads a {role} there; link it, or say in NOT_LINKED why not"


def test_the_list_of_exceptions_names_only_what_there_is() -> None:
    assert set(NOT_LINKED) <= set(TABLE)
