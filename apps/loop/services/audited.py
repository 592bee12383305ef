"""Labels that people gave to logged requests: whether the answers to them were right, as evidence for monitors and alarms.

Only examples that were drawn by chance tell how often answers are wrong: those of the random and the audit lane. What the drift
lane asked about and keeps for judging was drawn by chance from the drifted part alone, so it speaks of its alarm only.
"""

from collections.abc import Iterable
from datetime import datetime

from apps.datasets.models import Example
from apps.labeling.models import Label, LabelSource, Lane
from apps.labeling.services.drift_lane import drift_lane_labels
from apps.monitoring.models import Prediction
from apps.monitoring.monitors.reference import AuditedAnswer
from apps.projects.models import Project

BY_CHANCE = (Lane.RANDOM, Lane.AUDIT)
BY_PEOPLE = (LabelSource.CONSENSUS, LabelSource.REVIEW)
MOST = 5_000  # labels, the newest


def answers_audited(project: Project, version: int, since: datetime, until: datetime) -> list[AuditedAnswer]:
    """Of this version, answered in the time, oldest first."""
    labels = Label.objects.filter(
        project=project, lane__in=BY_CHANCE, source__in=BY_PEOPLE, resolved_at__gt=since, label__isnull=False
    )
    newest = labels.order_by("-resolved_at").values_list("example_id", "label__name")[:MOST]
    return _held_against(project, version, newest, since=since, until=until)


def slice_audited(project: Project, version: int, alert_number: int) -> list[AuditedAnswer]:
    """Of the examples of one alarm that judge."""
    return _held_against(project, version, drift_lane_labels(project, alert_number, judges=True))


def _held_against(
    project: Project,
    version: int,
    labels: Iterable[tuple[int, str]],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[AuditedAnswer]:
    by_example = dict(labels)
    named = Example.objects.filter(project=project, pk__in=by_example).values_list("external_id", "pk")
    wanted = {request_of(external): by_example[pk] for external, pk in named}
    said = Prediction.objects.shown().filter(
        project=project, model_number=version, inference_id__in={name for name, _ in wanted}
    )
    if since is not None and until is not None:
        said = said.filter(at__gt=since, at__lte=until)
    found: dict[tuple[str, int], AuditedAnswer] = {}
    rows = said.order_by("at").values_list("inference_id", "item", "at", "label", "share")
    for name, item, at, label, share in rows:
        if (name, item) in wanted:
            found[name, item] = AuditedAnswer(name, item, at, label != wanted[name, item], share)
    return sorted(found.values(), key=lambda each: each.at)


def request_of(external_id: str) -> tuple[str, int]:
    """The answer that an example is called after; a later row of several bears its place.

    >>> request_of("q7"), request_of("q7#2"), request_of("issue #2b")
    (('q7', 0), ('q7', 2), ('issue #2b', 0))
    """
    name, mark, place = external_id.rpartition("#")
    if mark and name and place.isascii() and place.isdigit() and len(place) < 6:
        return name, int(place)
    return external_id, 0
