"""The freshness gap: what the incremental line lacks against a full run on the same holdout rows."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.evaluation.models import FreshnessGap
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules import freshness as rule
from apps.rules.metrics import Difference
from apps.rules.sentences import sentence
from apps.rules.words import signed
from apps.training.models import Run, RunKind, RunState

SHOWN = 52  # a year of weekly full runs


def chain_of(run: Run) -> list[int]:
    """The run and those it went on from, newest first: ids, one query whatever the length."""
    bases = dict(Run.objects.filter(project_id=run.project_id, number__lte=run.number).values_list("pk", "base_run_id"))
    chain, at = [run.pk], bases.get(run.pk)
    while at is not None and at not in chain:
        chain.append(at)
        at = bases.get(at)
    return chain


def increments_of(run: Run) -> int:
    """Incremental runs in a row that end with this one."""
    return len(chain_of(run)) - 1


def line_of(run: Run, wanted_labels: Sequence[str]) -> rule.FreshnessLine:
    """What the rule must know of a champion's run before another one goes on from it."""
    chain = chain_of(run)
    newest = FreshnessGap.objects.filter(project_id=run.project_id).first()
    told = newest is not None and newest.full_run_id not in chain
    gap = rule.Gap(newest.points, newest.low, newest.high) if newest is not None and told else None
    return rule.FreshnessLine(len(chain) - 1, tuple(run.label_names), tuple(wanted_labels), gap)


def incremental_before(full: Run) -> Run | None:
    """The end of the incremental line that a full run is held against: the newest one since the full run before."""
    done = Run.objects.filter(
        project_id=full.project_id, state=RunState.COMPLETED, number__lt=full.number, reproduces=None
    )
    before = done.filter(kind=RunKind.FULL).order_by("-number").values_list("number", flat=True).first()
    line = done.filter(kind=RunKind.INCREMENTAL, number__gt=before or 0).exclude(artifact_url="")
    return line.select_related("project").order_by("-number").first()


@transaction.atomic
def gap_record(*, full: Run, incremental: Run, holdout_rows: int, accuracy: Difference, at: datetime) -> FreshnessGap:
    """Keep one comparison; a run judged twice keeps its first. `accuracy` is full minus incremental, as shares."""
    assert accuracy.value is not None and accuracy.low is not None and accuracy.high is not None
    gap, made = FreshnessGap.objects.get_or_create(
        full_run=full,
        defaults={
            "project_id": full.project_id,
            "incremental_run": incremental,
            "increments": increments_of(incremental),
            "holdout_rows": holdout_rows,
            "points": 100 * accuracy.value,
            "low": 100 * accuracy.low,
            "high": 100 * accuracy.high,
            "full_s": seconds_of(full),
            "incremental_s": seconds_of(incremental),
            "at": at,
        },
    )
    if made:
        event_record(
            project_id=full.project_id,
            verb=Verb.GAP_MEASURED,
            subject=f"run {full.number}",
            by=None,
            at=at,
            sentence=sentence(
                "Full run {full} against incremental run {incremental}: {points} points.",
                full=full.number,
                incremental=incremental.number,
                points=signed(gap.points),
            ),
            after={"points": gap.points, "low": gap.low, "high": gap.high},
        )
        look_again(Topic.PROJECT.of(full.project_id), News.REPORT, full.pk)
    return gap


def seconds_of(run: Run) -> float:
    """Seconds a device was held; of runs from before these were counted, their time."""
    return run.device_s or run.took_s or 0.0


def gaps_of(project: Project) -> QuerySet[FreshnessGap]:
    return FreshnessGap.objects.filter(project=project).select_related("full_run", "incremental_run")[:SHOWN]
