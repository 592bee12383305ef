"""A small project read in Spanish: nothing that people see there is an English sentence, also not what the record keeps."""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from html.parser import HTMLParser

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone, translation

from apps.accounts.models import User
from apps.audit.models import Event
from apps.evaluation.models import Report
from apps.monitoring.models import Alert
from apps.monitoring.services import Reference, drift_check
from apps.pages.sentences import in_words, plain
from apps.pages.words import counted
from apps.projects.models import Project
from apps.releases.services import model_promote, model_roll_back
from apps.rules.gates import Evidence, judge
from apps.rules.metrics import Metric
from apps.rules.sentences import joined, parts_of, sentence, term
from apps.rules.words import count, percent, points, rate
from apps.slas.services import target_set
from apps.training.services.runs import run_start
from apps.training.services.triggers import trigger_set
from tests.conftest import NOON
from tests.monitoring.test_pages import answered
from tests.rows import HOUR, labeled, model

ENGLISH = {
    *(
        "the",
        "of",
        "and",
        "is",
        "was",
        "were",
        "with",
        "for",
        "from",
        "by",
        "not",
        "are",
        "this",
        "that",
        "has",
        "have",
    ),
    *("to", "at", "it", "its", "an", "been", "which"),
}
SILENT = {"script", "style", "svg", "code", "pre", "kbd", "title", "textarea"}
EMPTY = {"input", "meta", "link", "br", "img", "hr", "use", "path"}


class Visible(HTMLParser):
    """Text of a page, what is marked as English (or as somebody's own words) left out."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[bool] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            given = dict(attributes)
            self.silent.append(tag in SILENT or given.get("lang") == "en" or given.get("dir") == "auto")

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY and self.silent:
            self.silent.pop()

    def handle_data(self, text: str) -> None:
        if not any(self.silent):
            self.texts.append(text)


def english_in(page: str) -> list[str]:
    parser = Visible()
    parser.feed(page)
    texts = (" ".join(text.split()) for text in parser.texts)
    return [text for text in texts if len(ENGLISH & set(re.findall(r"[a-z]+", text.lower()))) >= 2]


def test_the_reader_finds_english_and_leaves_out_what_says_that_it_is() -> None:
    assert english_in("<p>It is the first of the day.</p>") == ["It is the first of the day."]
    assert english_in('<p lang="en">It is the first.</p><p>La primera del día.</p><script>it is the</script>') == []


@pytest.fixture
def played(project: Project, mona: User, lin: User) -> Project:
    """Labels, two models with a real verdict, a promotion taken back, a trigger, a target, an alarm of drift."""
    labeled(project, 60)
    causes = {"new_labels": 50, "minutes": 90, "disagreement_points": 10, "debounce_s": 20}
    trigger_set(project=project, enabled=True, kind="full", by=lin, at=NOON, **causes)
    target_set(project=project, hours=48, by=mona, at=NOON)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON + HOUR)
    second = model(project, base=first.run)
    model_promote(version=second, reason="", by=lin, at=NOON + 2 * HOUR)
    model_roll_back(project=project, reason="Un simulacro.", expected_champion=2, by=lin, at=NOON + 3 * HOUR)
    for report, labels in zip(Report.objects.order_by("id"), (None, ("ham", "spam")), strict=True):
        found = judge(evidence(labels)).gates
        report.gates = [{**asdict(g), "outcome": str(g.outcome), "parts": parts_of(g.reason)} for g in found]
        report.save()
    words = sentence("{by} asked for it.", by=lin)
    run_start(project=project, kind="full", trigger=words, base_run=None, by=lin, at=NOON + 4 * HOUR)
    now = timezone.now()
    answered(project, 80, label="spam")
    said = Reference(["ham", "spam"], ["ham"] * 80 + ["spam"] * 20, list(np.linspace(0.5, 0.99, 100)))
    check = drift_check(project=project, model_number=1, reference=said, at=now + timedelta(seconds=1), seed=1)
    assert check.outcome == "drift" and Alert.objects.filter(project=project).count() == 1
    return project


def evidence(champion: tuple[str, ...] | None) -> Evidence:
    accuracy, difference = Metric(0.9, 0.84, 0.95), Metric(-0.01, -0.04, 0.02)
    known = {
        "loaded": True,
        "finite": True,
        "labels": ("ham", "spam", "eggs"),
        "n_holdout": 80,
        "accuracy": accuracy,
        "majority_rate": 0.6,
    }
    if champion is None:
        return Evidence(**known)
    return Evidence(
        **known, champion_labels=champion, accuracy_difference=difference, log_loss_difference=Metric(0.2, 0.11, 0.3)
    )


PAGES = (
    "",
    "runs/",
    "models/",
    "monitor/",
    "runs/schedules/",
    "sla/",
    "audit/?check=1",
    "quality/",
    "quality/doubts/",
    "learning/",
    "learning/freshness/",
    "data/",
    "settings/",
    "settings/queue/",
    "members/",
)


def reading_spanish(as_: Callable[[User], Client], user: User) -> Client:
    browser = as_(user)
    browser.post("/language/", {"language": "es"})
    return browser


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_a_played_project_says_an_english_sentence(
    as_: Callable[[User], Client], played: Project, alma: User, page: str
) -> None:
    answer = reading_spanish(as_, alma).get(f"/projects/{played.pk}/{page}")
    assert answer.status_code == 200 and '<html lang="es"' in answer.text
    assert english_in(answer.text) == []


def test_runs_and_their_verdicts_are_told_in_spanish(as_: Callable[[User], Client], played: Project, lin: User) -> None:
    for run in played.runs.all():
        page = reading_spanish(as_, lin).get(f"/projects/{played.pk}/models/runs/{run.pk}/").text
        assert english_in(page) == []
    assert "Exactitud \N{MINUS SIGN}1,0 puntos, entre \N{MINUS SIGN}4,0 y +2,0; puede ser azar." in page_of_second(
        as_, played, lin
    )


def page_of_second(as_: Callable[[User], Client], played: Project, lin: User) -> str:
    run = played.runs.get(number=2)
    return reading_spanish(as_, lin).get(f"/projects/{played.pk}/models/runs/{run.pk}/").text


def test_activity_and_alarm_are_told_in_the_readers_words_and_form(
    as_: Callable[[User], Client], played: Project, lin: User
) -> None:
    page = reading_spanish(as_, lin).get(f"/projects/{played.pk}/").text
    assert "Lin volvió a v1, antes v2." in page
    assert "«ham» pasó del 80 % al 0 % de las predicciones." in page
    english = as_(lin).get(f"/projects/{played.pk}/").text
    assert "Lin rolled back to v1, was v2." in english and "“ham” went from 80 % to 0 % of predictions." in english


def test_an_entry_of_an_earlier_release_stays_english_and_says_so(
    as_: Callable[[User], Client], played: Project, lin: User
) -> None:
    newest = Event.objects.filter(scope=f"project:{played.pk}").latest("sequence")
    Event.objects.filter(pk=newest.pk).update(parts={}, sentence="Somebody did <b>it</b> & went.")
    page = reading_spanish(as_, lin).get(f"/projects/{played.pk}/audit/").text
    assert '<span lang="en">Somebody did &lt;b&gt;it&lt;/b&gt; &amp; went.</span>' in page
    assert 'lang="en">Somebody' not in as_(lin).get(f"/projects/{played.pk}/audit/").text


@pytest.mark.parametrize(
    ("words", "spanish"),
    [
        (count(1200, "new label"), "1\N{NO-BREAK SPACE}200 etiquetas nuevas"),
        (percent(0.4567, 1), "45,7 %"),
        (points(-0.031), "\N{MINUS SIGN}3,1"),
        (rate(0.995), "99,5 %"),
        (term("never"), "nunca"),
        (joined([sentence("Run {number} completed.", number=3), "x"]), "La ejecución 3 terminó. x"),
        (
            sentence("It knows the champion's {labels}.", labels=count(2, "label")),
            "Conoce las 2 etiquetas del campeón.",
        ),
    ],
)
def test_what_a_sentence_is_made_of_becomes_words(words: str, spanish: str) -> None:
    with translation.override("es"):
        assert plain(words, parts_of(words)) == spanish


@pytest.mark.parametrize(
    "parts",
    [
        {"pattern": "A plug-in’s own words {n}.", "values": {"n": 1}},
        {"pattern": "Run {number} completed.", "values": {}},
        {
            "pattern": "Run {number} was judged on {examples:,} holdout examples: {outcome}.",
            "values": {"number": 1, "examples": "x"},
        },
        {"count": 2, "noun": "unheard of"},
        {"later": "release"},
        {"joined": [{"later": "release"}], "between": " "},
    ],
)
def test_what_this_release_cannot_say_stays_as_it_was_written(parts: dict[str, object]) -> None:
    with translation.override("es"):
        assert in_words("A <b>word</b>.", parts) == '<span lang="en">A &lt;b&gt;word&lt;/b&gt;.</span>'


def test_what_somebody_wrote_is_escaped_within_a_translated_sentence(
    as_: Callable[[User], Client], played: Project, lin: User
) -> None:
    User.objects.filter(pk=lin.pk).update(display_name="<i>Lin</i>")
    lin.refresh_from_db()
    target_set(project=played, hours=24, by=User.objects.get(pk=lin.pk), at=timezone.now())
    page = reading_spanish(as_, lin).get(f"/projects/{played.pk}/audit/").text
    assert "&lt;i&gt;Lin&lt;/i&gt; (lin) fijó el objetivo" in page and "<i>Lin</i>" not in page


def test_every_noun_that_is_counted_is_known_to_the_pages() -> None:
    from tests.architecture.words import ROOT

    calls = re.compile(r"\bcount\([^()]*(?:\([^()]*\)[^()]*)*,\s*[\"']([a-z -]+)[\"']\)")
    code = [p for folder in ("apps", "workers") for p in (ROOT / folder).rglob("*.py")]
    nouns = {noun for path in code for noun in calls.findall(path.read_text())}
    assert len(nouns) > 15
    for noun in nouns:
        counted(2, noun)
