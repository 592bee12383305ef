"""The lane of an alarm: its examples wait for people before the rest, and some of them are kept out of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.labeling.models import DriftExample, FrontierItem, Label, Lane
from apps.projects.models import Project


@dataclass(frozen=True)
class LaneExample:
    """One example that an alarm asks about, and why it was chosen."""

    example_id: int
    judges: bool
    by_chance: bool
    reason: Mapping[str, Any]


@dataclass(frozen=True)
class LaneCounts:
    """Examples of one alarm; `learned` and `judged` are those of them that have a label now."""

    examples: int
    learned: int
    judged: int

    @property
    def labeled(self) -> int:
        return self.learned + self.judged

    @property
    def waiting(self) -> int:
        return self.examples - self.labeled


def drift_lane_put(
    *, project: Project, alert_number: int, asked: Sequence[LaneExample], run_number: int | None, at: datetime
) -> int:
    """Queue these in this order. Within the caller's transaction, in which the examples came: before others queue them."""
    before = _asked_before(asked)
    fresh = [each for each in asked if each.example_id not in before]
    DriftExample.objects.bulk_create(
        [
            DriftExample(
                project=project,
                example_id=each.example_id,
                alert_number=alert_number,
                judges=each.judges,
                by_chance=each.by_chance,
                asked_at=at,
            )
            for each in fresh
        ]
    )
    last = FrontierItem.objects.filter(project=project, lane=Lane.DRIFT).count()
    FrontierItem.objects.bulk_create(
        [
            FrontierItem(
                project=project,
                example_id=each.example_id,
                slot=slot,
                lane=Lane.DRIFT,
                rank=last + rank,
                reason={"strategy": "drift", **each.reason},
                run_number=run_number,
                queued_at=at,
            )
            for rank, each in enumerate(fresh)
            for slot in range(project.queue.overlap_in(Lane.DRIFT))
        ],
        ignore_conflicts=True,
    )
    return len(fresh)


def _asked_before(asked: Sequence[LaneExample]) -> set[int]:
    ids = [each.example_id for each in asked]
    return set(DriftExample.objects.filter(pk__in=ids).values_list("pk", flat=True))


def drift_lane_end(*, project: Project, alert_number: int, at: datetime) -> None:
    """The alarm is closed: nobody has to answer what is left before the rest, and every label may be learned from."""
    of_alert = DriftExample.objects.filter(project=project, alert_number=alert_number)
    of_alert.filter(released_at=None).update(released_at=at)
    waiting = FrontierItem.objects.filter(project=project, lane=Lane.DRIFT, example__in=of_alert.values("pk"))
    waiting.filter(Q(leased_until=None) | Q(leased_until__lt=at)).delete()


def drift_lane_counts(project: Project, alert_number: int) -> LaneCounts:
    of_alert = DriftExample.objects.filter(project=project, alert_number=alert_number)
    labeled = of_alert.filter(example__label__label__isnull=False)
    judged = labeled.filter(judges=True).count()
    return LaneCounts(of_alert.count(), labeled.count() - judged, judged)


def drift_lane_labels(project: Project, alert_number: int, *, judges: bool) -> list[tuple[int, str]]:
    """(example, label) of those that have one, by example."""
    rows = Label.objects.filter(
        project=project, label__isnull=False, holdout=False, example__drift__alert_number=alert_number
    )
    rows = rows.filter(example__drift__judges=judges)
    return list(rows.order_by("pk").values_list("pk", "label__name"))
