"""What the loop page shows, for one person at one moment: the clock, six stages, what happened, what runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Sum
from django.utils.translation import gettext

from apps.audit.models import Event
from apps.audit.selectors import events_of
from apps.audit.services import project_scope
from apps.datasets.models import Ingestion, IngestionState
from apps.labeling.models import Assignment, AssignmentState, FrontierItem, Label
from apps.labeling.selectors import QueueCounts, counts_of
from apps.loop.cards import stages
from apps.loop.cards.card import STAGES, Card, Judge, hidden, with_one_filled
from apps.loop.cards.facts import Collecting, Deploying, Evaluating, Monitoring, TrainingFacts
from apps.loop.clockface import LapClock, clock_of, laps_of
from apps.loop.mending.selectors import proposal_for
from apps.monitoring.models import Alert, DriftCheck
from apps.pages.numbers import fill
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import Alias, AliasName, ModelVersion, Promotion
from apps.releases.registry.requests import request_waiting
from apps.slas.models import Lap
from apps.slas.services import target_hours
from apps.training.models import OPEN_STATES, Run, RunState
from apps.training.services.triggers import trigger_of

ACTIVITY = 12
RECENT = timedelta(hours=24)
STAGE_OF = {
    "examples": "collect",
    "ingestion": "collect",
    "upload": "collect",
    "data": "collect",
    "label": "annotate",
    "annotation": "annotate",
    "review": "annotate",
    "schema": "annotate",
    "guidelines": "annotate",
    "run": "train",
    "trigger": "train",
    "verdict": "evaluate",
    "model": "deploy",
    "release": "deploy",
    "alias": "deploy",
    "lap": "deploy",
    "alert": "monitor",
    "drift": "monitor",
}


@dataclass(frozen=True)
class ActivityLine:
    """One line of the activity; `stage` is empty where it belongs to none."""

    at: datetime
    stage: str
    sentence: str
    parts: dict[str, Any]  # of the sentence


@dataclass(frozen=True)
class Running:
    """Something under way; percent is None while its length is unknown."""

    title: str
    words: str
    percent: int | None
    url_name: str
    subject_id: int | None = None


@dataclass(frozen=True)
class Step:
    """One step to the first lap: done, now or todo."""

    title: str
    words: str
    state: str


@dataclass(frozen=True)
class Overview:
    """Parts are None where the person may not see them, so that no template can leak them."""

    cards: tuple[Card, ...]
    clock: LapClock | None
    activity: tuple[ActivityLine, ...] | None
    running: tuple[Running, ...]
    alert: Alert | None
    first_steps: tuple[Step, ...]
    counts: QueueCounts
    columns: str  # what a file of examples needs, in words


@dataclass(frozen=True)
class _Facts:
    """Read once, used by several parts."""

    counts: QueueCounts
    laps: list[Lap]
    target_s: float
    open_run: Run | None
    aliases: dict[str, ModelVersion]

    @property
    def champion(self) -> ModelVersion | None:
        return self.aliases.get(AliasName.CHAMPION)

    @property
    def candidate(self) -> ModelVersion | None:
        """While it is newer than the champion."""
        candidate = self.aliases.get(AliasName.CANDIDATE)
        newer = candidate and (self.champion is None or candidate.number > self.champion.number)
        return candidate if newer else None


def overview(project: Project, at: datetime, permissions: frozenset[Permission]) -> Overview:
    facts = _facts(project)
    return Overview(
        cards=_cards(project, at, permissions, facts),
        clock=_clock(project, at, facts) if Permission.VIEW_SLA in permissions else None,
        activity=activity(project) if Permission.VIEW_AUDIT in permissions else None,
        running=_running(project, at, permissions, facts.open_run),
        alert=Alert.objects.filter(project=project, resolved_at=None).first()
        if Permission.VIEW_MONITOR in permissions
        else None,
        first_steps=() if facts.laps or Permission.VIEW_DATA not in permissions else _first_steps(project, facts),
        counts=facts.counts,
        columns=str(task_types.get(project.task_type).columns),
    )


def cards(project: Project, at: datetime, permissions: frozenset[Permission]) -> tuple[Card, ...]:
    return _cards(project, at, permissions, _facts(project))


def clock_now(project: Project, at: datetime) -> LapClock:
    return _clock(project, at, _facts(project))


def running(project: Project, at: datetime, permissions: frozenset[Permission]) -> tuple[Running, ...]:
    return _running(project, at, permissions, _open_run(project))


def activity(project: Project) -> tuple[ActivityLine, ...]:
    newest: list[Event] = list(events_of(project_scope(project.pk))[:ACTIVITY])
    return tuple(ActivityLine(e.at, STAGE_OF.get(e.verb.split(".")[0], ""), e.sentence, e.parts) for e in newest)


def _facts(project: Project) -> _Facts:
    served = Q(Exists(Promotion.objects.filter(version=OuterRef("version"))), name=AliasName.CANDIDATE)
    aliases = Alias.objects.filter(project=project).exclude(served).select_related("version__run", "version__report")
    return _Facts(
        counts_of(project),
        laps_of(project),
        target_hours(project) * 3600,
        _open_run(project),
        {a.name: a.version for a in aliases},
    )


def _open_run(project: Project) -> Run | None:
    return Run.objects.filter(project=project, state__in=OPEN_STATES).first()


def _clock(project: Project, at: datetime, facts: _Facts) -> LapClock:
    return clock_of(
        project, at, laps=facts.laps, target_s=facts.target_s, open_run=facts.open_run, candidate=facts.candidate
    )


def _cards(project: Project, at: datetime, permissions: frozenset[Permission], facts: _Facts) -> tuple[Card, ...]:
    """Facts are read only for the stages that this person may see."""
    medians = {t.stage: t.median_wait_s + t.median_work_s for t in facts.laps[0].stages.all()} if facts.laps else {}
    judge = Judge(at, facts.target_s, permissions, medians)
    runs, monitor = Permission.VIEW_RUNS in permissions, Permission.VIEW_MONITOR in permissions
    found = [
        stages.collect(judge, _collecting(project, at), facts.counts) if Permission.VIEW_DATA in permissions else None,
        stages.annotate(judge, _queue_oldest(project), facts.counts),
        stages.train(judge, _training(project, facts)) if runs else None,
        stages.evaluate(judge, _evaluating(project)) if runs else None,
        stages.deploy(judge, _deploying(project, facts, at)) if runs else None,
        stages.monitor(judge, _monitoring(project, facts, permissions)) if monitor else None,
    ]
    shown = [card or hidden(stage) for stage, card in zip(STAGES, found, strict=True)]
    return with_one_filled(shown, empty=facts.counts.examples == 0)


def _collecting(project: Project, at: datetime) -> Collecting:
    reading = Q(state__in=[IngestionState.QUEUED, IngestionState.RUNNING])
    found = Ingestion.objects.filter(project=project).aggregate(
        new=Sum("rows_taken", filter=Q(received_at__gte=at - RECENT)),
        reading=Count("pk", filter=reading),
        oldest=Min("received_at", filter=reading),
        last=Max("finished_at"),
    )
    return Collecting(found["new"] or 0, found["reading"], found["oldest"], found["last"])


def _queue_oldest(project: Project) -> datetime | None:
    oldest: datetime | None = FrontierItem.objects.filter(project=project).aggregate(at=Min("queued_at"))["at"]
    return oldest


def _training(project: Project, facts: _Facts) -> TrainingFacts:
    fresh = Label.objects.filter(project=project, holdout=False, first_run_number=None)
    return TrainingFacts(
        fresh=facts.counts.fresh,
        oldest=fresh.aggregate(at=Min("resolved_at"))["at"],
        open_run=facts.open_run,
        last_run=Run.objects.filter(project=project).exclude(state__in=OPEN_STATES).first(),
        trigger=trigger_of(project),
        learns=task_types.get(project.task_type).learns,
    )


def _evaluating(project: Project) -> Evaluating:
    unjudged = Run.objects.filter(project=project, state=RunState.COMPLETED, report=None)
    waiting = unjudged.aggregate(n=Count("pk"), oldest=Min("finished_at"))
    judged = Run.objects.filter(project=project, report__isnull=False).select_related("report").first()
    return Evaluating(waiting["n"], waiting["oldest"], judged, judged.report if judged else None)


def _deploying(project: Project, facts: _Facts, at: datetime) -> Deploying:
    promotion = Promotion.objects.filter(project=project).select_related("version").first()
    loading = promotion if promotion and promotion.serving_at is None else None
    return Deploying(facts.champion, facts.candidate, loading, request_waiting(project, at))


def _monitoring(project: Project, facts: _Facts, permissions: frozenset[Permission]) -> Monitoring:
    alerts = Alert.objects.filter(project=project, resolved_at=None).aggregate(n=Count("pk"), oldest=Min("opened_at"))
    check = DriftCheck.objects.filter(project=project).first()
    proposal = proposal_for(project, permissions) if alerts["n"] else None
    return Monitoring(alerts["n"], alerts["oldest"], check, facts.champion is not None, proposal)


def _running(
    project: Project, at: datetime, permissions: frozenset[Permission], open_run: Run | None
) -> tuple[Running, ...]:
    found = []
    if Permission.VIEW_RUNS in permissions and open_run:
        title = gettext("Run {number}, {kind_display}").format(
            number=open_run.number, kind_display=open_run.get_kind_display().lower()
        )
        percent = open_run.percent if open_run.steps_total else None
        found.append(Running(title, stages.run_words(open_run), percent, "lineage:run", open_run.pk))
    if Permission.VIEW_DATA in permissions:
        reading = Ingestion.objects.filter(project=project, state=IngestionState.RUNNING)
        found += [_reading(ingestion) for ingestion in reading[:5]]
    held = Assignment.objects.filter(project=project, state=AssignmentState.LEASED, leased_until__gte=at)
    people = held.aggregate(n=Count("holder", distinct=True))["n"]
    if people:
        words = gettext("1 person labels") if people == 1 else gettext("{people} people label").format(people=people)
        found.append(Running(gettext("Labeling"), words, None, "labeling:desk"))
    return tuple(found)


def _reading(ingestion: Ingestion) -> Running:
    expected = ingestion.rows_expected
    percent = min(100, round(100 * ingestion.rows_read / expected)) if expected else None
    words = (
        fill(gettext("{rows_read:,} of {expected:,} rows"), rows_read=ingestion.rows_read, expected=expected)
        if expected
        else fill(gettext("{rows_read:,} rows"), rows_read=ingestion.rows_read)
    )
    return Running(gettext("Reading {ingestion}").format(ingestion=ingestion), words, percent, "datasets:data")


def _first_steps(project: Project, facts: _Facts) -> tuple[Step, ...]:
    """From nothing to the first lap. The first step that is not done is the one for now."""
    counts = facts.counts
    trained = facts.champion or facts.candidate or facts.open_run
    here = fill(gettext("{examples:,} are here"), examples=counts.examples)
    given = fill(gettext("{labeled:,} given"), labeled=counts.labeled)
    rows = [
        (gettext("Examples"), here if counts.examples else gettext("Add the first ones"), counts.examples > 0),
        (gettext("Labels"), given if counts.labeled else gettext("At least two different ones"), counts.labeled > 0),
        (gettext("A run"), gettext("It learns from the labels"), trained is not None),
        (gettext("A verdict"), gettext("The gates judge it on the holdout"), bool(facts.champion or facts.candidate)),
        (gettext("A champion"), gettext("Promote it, and the first lap closes"), facts.champion is not None),
    ]
    if not task_types.get(project.task_type).learns:
        rows = [*rows[:2], (gettext("An export"), gettext("No model learns this kind here yet"), False)]
    now = next((i for i, row in enumerate(rows) if not row[2]), len(rows))
    return tuple(
        Step(title, words, "done" if i < now else "now" if i == now else "todo")
        for i, (title, words, _) in enumerate(rows)
    )
