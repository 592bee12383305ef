"""What the team page says of each person, and who may read it."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.audit.models import Event
from apps.labeling.models import Lane, Pause
from apps.pages.periods import period_named
from apps.quality.people import person_of, team_of
from apps.quality.times import durations, over_time
from tests.conftest import NOON, person
from tests.quality.conftest import example


def at(name, project, *more):
    return reverse(f"quality:{name}", args=[project.pk, *more])


def test_pace_is_of_active_time_and_fast_answers_are_counted(project, examples, said, ada):
    for each, ms in zip(examples, (900, 1999, 2000, 6000, 8000, 0), strict=False):
        said(ada, each, ms=ms)
    said(ada, examples[7], skip="unclear", ms=500)
    work = person_of(project, ada).work
    assert (work.answers, work.skips) == (6, 1)
    assert (work.fast.times, work.fast.of) == (2, 5)  # one has no known time, and a skip may be quick
    assert work.median_s == 2.0
    assert work.per_hour == pytest.approx(5 / ((900 + 1999 + 2000 + 6000 + 8000) / 3_600_000))


def test_gold_is_scored_with_an_interval(project, examples, said, ada):
    for i, each in enumerate(examples[:10]):
        said(ada, each, lane=Lane.GOLD, right=i < 8)
    gold = person_of(project, ada).work.gold
    assert (gold.times, gold.of, gold.value) == (8, 10, 0.8)
    assert gold.low == pytest.approx(0.49, abs=0.001)


def test_suggestions_planted_ones_and_the_blind_share_are_told_apart(project, examples, said, ada):
    for each, answer in zip(examples[:4], ("ham", "ham", "ham", "spam"), strict=True):
        said(ada, each, answer, suggestion="ham", guess="ham")
    for each, answer in zip(examples[4:6], ("ham", "spam"), strict=True):
        said(ada, each, answer, guess="ham")  # hidden by chance
    said(ada, examples[6], "spam", lane=Lane.GOLD, suggestion="spam", planted=True, right=False)
    said(ada, examples[7], "ham", lane=Lane.GOLD, suggestion="spam", planted=True, right=True)
    said(ada, examples[8], "ham", lane=Lane.RANDOM, guess="ham")  # hidden by its lane, not by chance
    work = person_of(project, ada).work
    assert (work.accepted.times, work.accepted.of) == (3, 4)
    assert (work.planted.times, work.planted.of) == (1, 2)
    assert (work.anchoring.shown.times, work.anchoring.shown.of) == (3, 4)
    assert (work.anchoring.hidden.times, work.anchoring.hidden.of) == (1, 2)
    assert work.anchoring.gap[0] == pytest.approx(0.25) and not work.anchoring.sways


def test_a_guess_that_sways_is_said_with_its_interval(as_, project, said, ada, mona):
    for n in range(200):
        shown = n % 2 == 0
        said(
            ada,
            example(project, 100 + n),
            "ham" if shown or n % 4 == 1 else "spam",
            guess="ham",
            suggestion="ham" if shown else "",
        )
    page = as_(mona).get(at("person", project, ada.pk)).content.decode()
    assert "Seeing the suggestion raises agreement with it by +50.0 points" in page
    assert "+50.0" in as_(mona).get(at("people", project)).content.decode()


def test_the_team_is_the_sum_of_its_people_and_skips_have_their_reasons(project, examples, said, ada, grace):
    for each in examples[:3]:
        said(ada, each)
        said(grace, each)
    said(grace, examples[4], skip="broken")
    said(grace, examples[5], skip="unclear")
    said(grace, examples[6], skip="unclear")
    team = team_of(project)
    assert [(str(p.user), p.work.answers) for p in team.people] == [("Ada", 3), ("Grace", 3)]
    assert (team.all.answers, team.all.skips) == (6, 3)
    assert team.people[1].skip_words == [("Unclear, needs context", 2), ("Broken or empty", 1)]
    assert team.people[0].partner.share == 1.0


def test_hours_are_drawn_while_all_is_young_and_days_later_with_the_empty_ones_between(project, examples, said, ada):
    for hours, each in zip((0, 0, 3), examples, strict=False):
        said(ada, each, at=NOON + timedelta(hours=hours))
    young = over_time(project, period_named("24h", NOON + timedelta(hours=4)))
    assert (young.step, young.answers) == ("hour", (2, 0, 0, 1))
    said(ada, examples[5], at=NOON + timedelta(days=4))
    month = period_named("30d", NOON + timedelta(days=5))
    assert over_time(project, month, ada).answers == (3, 0, 0, 0, 1) and over_time(project, month).step == "day"
    year = over_time(project, period_named("365d", NOON + timedelta(days=20)))
    assert (year.step, year.answers, year.starts[0].weekday()) == ("week", (4,), 0)


def test_durations_are_the_teams_and_ones_own(project, examples, said, ada, grace):
    for each, who, ms in zip(examples, (ada, ada, grace), (1500, 6000, 2000), strict=False):
        said(who, each, ms=ms)
    found = durations(project, ada)
    assert found.team == (0, 1, 1, 1, 0, 0, 0, 0, 0) and found.own == (0, 1, 0, 1, 0, 0, 0, 0, 0)
    assert durations(project).own is None


def test_charts_have_a_finding_and_their_empty_words(as_, project, examples, said, ada, mona):
    empty = as_(mona).get(at("people_figures", project)).json()
    assert empty["over_time"]["data"] == []
    assert empty["durations"]["layout"]["meta"]["finding"] == "No answer has a known time on screen yet."
    said(ada, examples[0], ms=1000)
    said(ada, examples[1], ms=9000)
    day = "?from=2026-11-02&to=2026-11-02"
    found = as_(mona).get(at("person_figures", project, ada.pk) + day).json()
    assert found["durations"]["layout"]["meta"]["finding"] == "Ada: 1 of 2 answers took under 2 s."
    assert [t["name"] for t in found["durations"]["data"]] == ["Ada", "team"]
    assert found["over_time"]["layout"]["meta"]["finding"] == "2 answers; most in the hour from 2 Nov, 12:00: 2."


def test_the_table_leaves_as_csv_and_no_name_runs_as_a_formula(as_, project, examples, said, ada, mona):
    ada.display_name = "=HYPERLINK(1)"
    ada.save()
    for each in examples[:3]:
        said(ada, each, lane=Lane.GOLD, right=True)
    answer = as_(mona).get(at("export", project))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert answer["Content-Disposition"].endswith('-people.csv"')
    assert rows[0]["person"] == "'=HYPERLINK(1)" and rows[0]["answers"] == "3" and rows[0]["gold_right"] == "3"


def test_ada_sees_her_own_work_and_nobody_elses(as_, project, examples, said, ada, grace):
    said(ada, examples[0], ms=1200)
    said(grace, examples[0], "spam")
    browser = as_(ada)
    page = browser.get(at("mine", project)).content.decode()
    assert "Your work" in page and "words 0" in page and "Grace" not in page
    assert browser.get(at("person", project, grace.pk)).status_code == 403
    assert browser.get(at("people", project)).status_code == 403
    assert browser.get(at("person_figures", project, grace.pk)).status_code == 403
    assert "Grace" not in browser.get(at("mine_figures", project)).content.decode()


def test_somebody_who_has_nothing_to_do_with_the_project_has_no_page(as_, project, mona, mallory):
    assert as_(mona).get(at("person", project, mallory.pk)).status_code == 404


def test_nobody_yet_and_nothing_yet_are_said(as_, project, mona, ada):
    assert "Nobody has answered yet" in as_(mona).get(at("people", project)).content.decode()
    assert "Ada has not answered yet" in as_(mona).get(at("person", project, ada.pk)).content.decode()
    assert "You have not answered yet" in as_(ada).get(at("mine", project)).content.decode()


def test_a_reviewer_lifts_a_pause_once_and_it_is_on_record(as_, project, ada, rosa):
    Pause.objects.create(project=project, person=ada, reason="The last 3 gold answers were wrong.", at=NOON)
    page = as_(rosa).get(at("person", project, ada.pk)).content.decode()
    assert "Ada is paused" in page and "Lift the pause" in page
    assert "Lift the pause" not in as_(ada).get(at("mine", project)).content.decode()
    assert as_(rosa).post(at("lift", project, ada.pk)).status_code == 302
    pause = Pause.objects.get()
    assert pause.lifted_by == rosa and pause.lifted_at is not None
    assert Event.objects.first().sentence == "Rosa lets Ada go on. The pause said: The last 3 gold answers were wrong."
    again = as_(rosa).post(at("lift", project, ada.pk))
    assert again.status_code == 409 and "somebody was faster" in again.content.decode()


def test_nobody_lifts_their_own_pause(as_, project, rosa):
    Pause.objects.create(project=project, person=rosa, reason="x", at=NOON)
    assert as_(rosa).post(at("lift", project, rosa.pk)).status_code == 409
    assert Pause.objects.get().lifted_at is None


def test_the_team_page_costs_the_same_queries_for_twelve_people_as_for_two(as_, project, said, mona):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_(mona).get(at("people", project)).status_code == 200
        return len(queries)

    team = [person(f"p{i}", f"Person {i}") for i in range(12)]
    for who in team[:2]:
        said(who, example(project, who.pk))
    few = cost()
    for who in team:
        said(who, example(project, 1000 + who.pk), skip="unclear")
        said(who, example(project, 2000 + who.pk))
        Pause.objects.create(project=project, person=who, reason="x", at=NOON)
    assert cost() == few
