"""Set the promise, and write down each lap against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.sentences import lowered, sentence
from apps.slas.models import DEFAULT_TARGET_HOURS, Lap, Stage, StageTiming, Target

LONGEST_TARGET_HOURS = 8760.0


@dataclass(frozen=True)
class StageTimes:
    """Seconds of one stage: for the label at the 90th percentile, and the medians over all labels."""

    wait_s: float
    work_s: float
    median_wait_s: float
    median_work_s: float


def target_hours(project: Project) -> float:
    return Target.objects.filter(project=project).values_list("hours", flat=True).first() or DEFAULT_TARGET_HOURS


@transaction.atomic
def target_set(*, project: Project, hours: float, by: User, at: datetime) -> Target:
    """Laps already closed keep the target they were measured against."""
    if not 0.1 <= hours <= LONGEST_TARGET_HOURS:
        raise Invalid(gettext("The target lies between 0.1 and 8,760 hours (a year)."), field="hours")
    before = target_hours(project)
    target, _ = Target.objects.update_or_create(project=project, defaults={"hours": hours})
    event_record(
        project_id=project.pk,
        verb=Verb.TARGET_SET,
        subject="target",
        by=by,
        at=at,
        sentence=sentence("{by} set the data-to-deploy target to {hours:g} h.", by=by, hours=hours),
        before={"hours": before},
        after={"hours": hours},
    )
    look_again(Topic.PROJECT.of(project.pk), News.TARGET)
    return target


@transaction.atomic
def lap_record(
    *,
    project: Project,
    promotion_id: int,
    model_number: int,
    labels: int,
    median_s: float,
    p90_s: float,
    longest_s: float,
    waiting_share: float,
    stages: Mapping[Stage, StageTimes],
    at: datetime,
) -> Lap:
    """Write one lap; a promotion closes at most one. The stage with most time is named as the cause of a breach."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    have = Lap.objects.filter(promotion_id=promotion_id).first()
    if have:
        return have
    target_s = target_hours(project) * 3600
    breached = p90_s > target_s
    cause = max(stages, key=lambda s: stages[s].wait_s + stages[s].work_s)
    last = Lap.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    lap = Lap.objects.create(
        project=project,
        number=last + 1,
        promotion_id=promotion_id,
        model_number=model_number,
        closed_at=at,
        labels=labels,
        median_s=median_s,
        p90_s=p90_s,
        longest_s=longest_s,
        waiting_share=waiting_share,
        target_s=target_s,
        breached=breached,
        cause=cause if breached else "",
    )
    StageTiming.objects.bulk_create(
        [
            StageTiming(
                lap=lap,
                stage=stage,
                position=i,
                wait_s=t.wait_s,
                work_s=t.work_s,
                median_wait_s=t.median_wait_s,
                median_work_s=t.median_work_s,
            )
            for i, (stage, t) in enumerate(stages.items())
        ]
    )
    event_record(
        project_id=project.pk,
        verb=Verb.LAP_CLOSED,
        subject=f"lap {lap.number}",
        by=None,
        at=at,
        sentence=_closed(lap),
        after={"p90_s": p90_s, "breached": breached},
    )
    look_again(Topic.PROJECT.of(project.pk), News.LAP, lap.pk)
    return lap


def _closed(lap: Lap) -> str:
    """With its 90th percentile as 61.3 h, 4.5 min or 40 s."""
    s = lap.p90_s
    n, unit, digits = (s / 3600, "h", 1) if s >= 3600 else (s / 60, "min", 1) if s >= 120 else (s, "s", 0)
    took = sentence("{n:.1f} {unit}", n=n, unit=unit) if digits else sentence("{n:.0f} {unit}", n=n, unit=unit)
    known = {"number": lap.number, "labels": lap.labels, "took": took, "target": lap.target_s / 3600}
    if not lap.breached:
        return sentence(
            "Lap {number} closed: 9 in 10 of {labels:,} labels served within {took}, target {target:g} h.", **known
        )
    return sentence(
        "Lap {number} closed: 9 in 10 of {labels:,} labels served within {took}, target {target:g} h; "
        "breach, most time in {stage}.",
        **known,
        stage=lowered(english(Stage(lap.cause).label)),
    )
