"""Moments on pages: one zone per person, 24 h, named; and no clock format beside the one place that has them."""

import ast
import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.template import engines
from django.urls import reverse
from django.utils import timezone, translation

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.pages import moments
from apps.projects.models import Project
from apps.training.services.schedules import schedules_ensure
from fastloop_console.machine.env import ROOT

WINTER = datetime(2026, 1, 9, 23, 30, 7, tzinfo=UTC)
SUMMER = datetime(2026, 7, 9, 23, 30, 7, tzinfo=UTC)


def entered(project: Project, by: User, at: datetime) -> None:
    event_record(
        project_id=project.pk, verb=Verb.CONSENSUS_ASKED, subject="project", sentence="Mona asked.", by=by, at=at
    )


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        ("UTC", WINTER, "9 Jan 2026, 23:30"),
        ("Europe/Madrid", WINTER, "10 Jan 2026, 00:30"),
        ("Europe/Madrid", SUMMER, "10 Jul 2026, 01:30"),
        ("Asia/Kathmandu", WINTER, "10 Jan 2026, 05:15"),
        ("America/St_Johns", SUMMER, "9 Jul 2026, 21:00"),
        ("Pacific/Kiritimati", WINTER, "10 Jan 2026, 13:30"),
    ],
)
def test_a_moment_is_said_in_the_zone_that_is_active(zone: str, at: datetime, words: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        assert moments.stamp_of(at) == words


def test_each_form_of_a_moment_is_written_once_and_translated() -> None:
    with timezone.override(ZoneInfo("Europe/Madrid")), translation.override("es"):
        assert moments.exact_of(WINTER) == "10 ene 2026, 00:30:07"
        assert moments.second_of(WINTER) == "00:30:07"
        assert moments.hours_of(time(3, 0)) == "03:00"
        assert moments.month_of(date(2026, 1, 1)).lower() == "enero 2026"
    assert moments.weekday_in(WINTER, ZoneInfo("Europe/Madrid")) == "Sat 10 Jan, 00:30"


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        ("UTC", WINTER, "UTC"),
        ("Europe/Madrid", WINTER, "Europe/Madrid (UTC+1)"),
        ("Europe/Madrid", SUMMER, "Europe/Madrid (UTC+2)"),
        ("America/St_Johns", WINTER, "America/St Johns (UTC\N{MINUS SIGN}3:30)"),
        ("Asia/Kathmandu", WINTER, "Asia/Kathmandu (UTC+5:45)"),
    ],
)
def test_the_zone_is_named_with_what_it_is_ahead_at_that_time(zone: str, at: datetime, words: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        assert moments.zone_words(at) == words


def test_the_browser_says_the_zone_until_the_person_chooses_one(as_, project: Project, mona: User) -> None:
    entered(project, mona, WINTER)
    browser, page = as_(mona), f"/projects/{project.pk}/audit/"
    assert "9 Jan 2026, 23:30" in browser.get(page).text and 'data-zone="UTC"' in browser.get(page).text

    browser.cookies["time_zone"] = "Asia/Tokyo"
    told = browser.get(page).text
    assert "10 Jan 2026, 08:30" in told and "Times are in Asia/Tokyo (UTC+9)." in told
    assert 'datetime="2026-01-09T23:30:07+00:00"' in told  # machines read UTC

    assert browser.post("/account/time-zone/", {"time_zone": "America/New_York"}).status_code == 302
    chosen = browser.get(page).text
    assert "9 Jan 2026, 18:30" in chosen and 'data-zone="America/New_York"' in chosen
    assert as_(mona).get(page).text.count("9 Jan 2026, 18:30") == 1  # another browser, which says nothing

    browser.post("/account/time-zone/", {"time_zone": ""})
    assert "10 Jan 2026, 08:30" in browser.get(page).text


@pytest.mark.parametrize(
    "said", ["Mars/Phobos", "../../etc/passwd", "Asia/Tokyo; x", "\u00e9", "x" * 5000, "localtime"]
)
def test_what_is_no_zone_is_the_consoles_own(as_, mona: User, said: str) -> None:
    browser = as_(mona)
    browser.cookies["time_zone"] = said
    page = browser.get("/account/")
    assert page.status_code == 200 and 'data-zone="UTC"' in page.text
    refused = browser.post("/account/time-zone/", {"time_zone": said})
    mona.refresh_from_db()
    assert refused.status_code == 422 and mona.time_zone == ""


def test_one_persons_zone_does_not_stay_for_the_next_request(as_, mona: User, ada: User) -> None:
    User.objects.filter(pk=mona.pk).update(time_zone="Asia/Tokyo")
    assert 'data-zone="Asia/Tokyo"' in as_(mona).get("/account/").text
    assert 'data-zone="UTC"' in as_(ada).get("/account/").text
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_api_stays_in_utc_whatever_the_person_chose(as_, project: Project, mona: User) -> None:
    User.objects.filter(pk=mona.pk).update(time_zone="Asia/Tokyo")
    schedules_ensure(project=project, at=timezone.now())
    found = as_(mona).get(f"/api/v1/projects/{project.pk}/schedules/").json()
    at = found["results"][0]["next_runs"][0]
    assert at.endswith(("Z", "+00:00"))


def test_a_schedules_times_are_in_its_own_zone_which_is_named(as_, project: Project, lin: User) -> None:
    User.objects.filter(pk=lin.pk).update(time_zone="Asia/Tokyo")
    browser, page = as_(lin), f"/projects/{project.pk}/runs/schedules/"
    browser.post(
        reverse("training:schedule", args=[project.pk]),
        {"kind": "full", "enabled": "on", "days": ["0"], "time": "03:00", "zone": "Europe/Madrid"},
    )
    shown = browser.get(page).text
    assert "Next, Europe/Madrid:" in shown
    assert re.search(r"Sun \d+ \w+, 03:00</time>", shown)


# --- one place for clock formats
HAND_MADE = {
    "templates": re.compile(r"\|\s*(?:date|time|naturaltime|timesince|naturalday)\b|\{%\s*now\b"),
    "static": re.compile(
        r"toLocaleString\([^)]*(?:hour|minute|month)|toLocale(?:Date|Time)String|\.get(?:UTC)?Hours\(|DateTimeFormat\("
    ),
}
CLOCK = re.compile(r"%[HIMSYmdbBj](?![a-z])")
ONE_PLACE = {"static/moments.js", "static/theme.js", "static/desk/text.js"}
FOR_RECORDS = {  # names of files and projects, facts of the audit, what a form's own widget wants, what is read and not said
    "apps/cases/management/commands/simulate.py",
    "apps/evaluation/reporting/card.py",
    "apps/monitoring/log/partitions.py",
    "apps/notices/api.py",
    "apps/notices/services.py",
    "apps/people/models.py",
    "apps/people/tokens.py",
    "apps/training/forms.py",
    "apps/training/schedule_api.py",
    "apps/training/services/schedules.py",
    "apps/transfer/services.py",
}


def clocks_in_python(source: str) -> list[int]:
    """Lines that format a moment by hand: `strftime`, or `:%H` within an f-string or a constant."""
    found = []
    for node in ast.walk(ast.parse(source)):
        named = isinstance(node, ast.Attribute) and node.attr in {"strftime", "ctime"}
        written = (
            isinstance(node, ast.FormattedValue) and node.format_spec and CLOCK.search(ast.unparse(node.format_spec))
        )
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        constant = re.search(r"%H:%M|%Y-%m|\{[^{}]*:%[a-zA-Z]", text)
        if named or written or constant:
            found.append(getattr(node, "lineno", 0))
    return found


def test_the_walk_finds_clock_formats() -> None:
    assert clocks_in_python('x = f"{at:%H:%M}"') and clocks_in_python('y = at.strftime("x")')
    assert clocks_in_python('z = gettext("{at:%d %b}").format(at=at)') and clocks_in_python('w = f"{n:,} %"') == []
    assert HAND_MADE["templates"].search('{{ at|date:"H:i" }}') and not HAND_MADE["templates"].search("{{ at|stamp }}")
    assert HAND_MADE["static"].search('at.toLocaleTimeString([], { hour: "2-digit" })')


@pytest.mark.parametrize("folder", ["templates", "static"])
def test_no_template_and_no_script_writes_a_clock_by_hand(folder: str) -> None:
    suffix = {"templates": "*.html", "static": "*.js"}[folder]
    files = [p for p in (ROOT / folder).rglob(suffix) if str(p.relative_to(ROOT)) not in ONE_PLACE]
    assert len(files) > 20
    assert [str(p.relative_to(ROOT)) for p in files if HAND_MADE[folder].search(p.read_text())] == []


def test_no_module_writes_a_clock_by_hand() -> None:
    paths: list[Path] = [p for p in (ROOT / "apps").rglob("*.py") if "migrations" not in p.parts]
    wrong = {str(p.relative_to(ROOT)) for p in paths if clocks_in_python(p.read_text())}
    assert wrong == FOR_RECORDS


def test_a_template_of_ours_says_moments_through_the_one_place() -> None:
    template = engines["django"].from_string("{{ at|stamp }} {{ at|iso }} {{ none|iso }}|{{ at|day }}")
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert template.render({"at": WINTER}) == "10 Jan 2026, 08:30 2026-01-09T23:30:07+00:00 |10 Jan 2026"
