"""Fetch what monitors read of one window, from the prediction log, kept requests and matured feedback; no more than they ask."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Avg, Count

from apps.monitoring.feedback.settings import feedback_settings_of
from apps.monitoring.log.traffic import first_answer
from apps.monitoring.models import AskedPayload, Feedback, Prediction
from apps.monitoring.models.rollups import RollupWidth
from apps.monitoring.services import class_indices
from apps.projects.models import Project
from apps.rules.feedback import LABEL
from apps.rules.monitors import (
    MOST_IN_WINDOW,
    ColumnPair,
    GroupPair,
    GroupRows,
    LossStream,
    MonitorEvidence,
    MonitorNeed,
    PastEstimate,
    Predictions,
    VectorPair,
    VolumeHistory,
)

MOST_ROWS = 2_000  # kept requests of a window, the newest, whose columns are compared
MOST_LOSSES = 20_000  # the newest
PAST, LEAST_PAST = 10, 20  # earlier windows whose estimates are held against feedback, and labels that one needs
WEEKS, WEEKS_OF_MINUTES = 8, 4  # back, as far as hours and minutes are kept
WEEK, DAY = timedelta(days=7), timedelta(days=1)
Encode = Callable[[Sequence[Mapping[str, Any]], Sequence[bytes | None]], Any]


@dataclass(frozen=True)
class ReferenceRows:
    """Columns of examples; fetched where a monitor asks for them."""

    columns: Callable[[], Mapping[str, Sequence[Any]]]
    vectors: Callable[[], Any]  # (n, d), or None where there are none


@dataclass(frozen=True)
class HoldoutAnswers:
    """What the champion said of each example of its holdout, in the same order."""

    truth: Sequence[str]
    predicted: Sequence[str]
    confidence: Sequence[float]

    @property
    def right(self) -> Any:
        return np.array([answer == true for answer, true in zip(self.predicted, self.truth, strict=True)], np.int64)


@dataclass(frozen=True)
class MonitorReference:
    """The champion, and what its windows are compared with; each part is fetched once, where a monitor asks for it.

    `groups` are the sensitive columns of the holdout. `encode` makes vectors of kept requests, or None.
    """

    model_number: int
    serves_since: datetime
    label_names: Sequence[str]
    holdout: Callable[[], HoldoutAnswers]
    learned: ReferenceRows
    groups: Callable[[], Mapping[str, Sequence[Any]]] = dict
    encode: Encode | None = None


@dataclass
class WindowEvidence:
    """Of one window of one project: each part is fetched at the first monitor that reads it, once for all of them."""

    project: Project
    reference: MonitorReference
    since: datetime
    until: datetime
    losses_since: datetime
    maturity: timedelta
    _parts: dict[MonitorNeed, Any] = field(default_factory=dict)

    def of(self, needs: Collection[MonitorNeed]) -> MonitorEvidence:
        names, holdout = list(self.reference.label_names), self.reference.holdout()
        before = Predictions(class_indices(holdout.predicted, names), np.asarray(holdout.confidence, float))
        parts = {need: self._part(need) for need in needs}
        return MonitorEvidence(
            reference=before,
            window=parts.get(MonitorNeed.PREDICTIONS, Predictions(np.zeros(0, np.int64), np.zeros(0))),
            labels=[*names, "an unknown label"],
            right=holdout.right if len(holdout.truth) else None,
            columns=parts.get(MonitorNeed.COLUMNS),
            vectors=parts.get(MonitorNeed.VECTORS),
            volume=parts.get(MonitorNeed.VOLUME),
            losses=parts.get(MonitorNeed.LOSSES),
            groups=parts.get(MonitorNeed.GROUPS),
            past=parts.get(MonitorNeed.PAST_ESTIMATES, ()),
        )

    def _part(self, need: MonitorNeed) -> Any:
        if need not in self._parts:
            self._parts[need] = FETCH[need](self)
        return self._parts[need]

    @cached_property
    def kept(self) -> list[AskedPayload]:
        """The newest kept requests of the window."""
        rows = AskedPayload.objects.filter(project=self.project, at__gt=self.since, at__lte=self.until)
        return list(rows.order_by("-at", "-id")[:MOST_ROWS])


def _predictions(window: WindowEvidence) -> Predictions:
    rows = list(
        Prediction.objects.shown()
        .filter(
            project=window.project,
            model_number=window.reference.model_number,
            at__gt=window.since,
            at__lte=window.until,
        )
        .order_by("-at")
        .values_list("label", "confidence")[:MOST_IN_WINDOW]
    )
    names = list(window.reference.label_names)
    return Predictions(class_indices([row[0] for row in rows], names), np.asarray([row[1] for row in rows], float))


def _columns(window: WindowEvidence) -> ColumnPair | None:
    """None where the log keeps nothing, which is another thing than a window without requests."""
    if not window.kept and not AskedPayload.objects.filter(project=window.project).exists():
        return None
    learned = window.reference.learned.columns()
    rows = [kept.row for kept in window.kept]
    there = dict.fromkeys(name for row in rows for name in row)
    return ColumnPair(learned, {name: tuple(row.get(name) for row in rows) for name in there})


def _vectors(window: WindowEvidence) -> VectorPair | None:
    if window.reference.encode is None or not window.kept:
        return None
    before = window.reference.learned.vectors()
    if before is None:
        return None
    now = window.reference.encode(
        [k.row for k in window.kept], [bytes(k.image) if k.image else None for k in window.kept]
    )
    return VectorPair(before, now) if now is not None and len(now) else None


COUNTED = """
SELECT floor((extract(epoch FROM (%(until)s - at)) - 1) / %(step)s)::bigint AS back, sum(answers)::bigint
FROM monitoring_answerrollup
WHERE project_id = %(project)s AND width = %(width)s AND at >= %(since)s AND at < %(until)s
  AND NOT failed AND arm <> 'shadow' GROUP BY 1
"""


def _volume(window: WindowEvidence) -> VolumeHistory | None:
    """Counts by windows of this length, back from its end: 0 is this one. Of the hours, or of the minutes for shorter windows."""
    length, first = window.until - window.since, first_answer(window.project)
    if first is None:
        return None
    season = next((s for s in (WEEK, DAY) if first <= window.since - 2 * s and s % length == timedelta(0)), None)
    if season is None:
        return None
    by_hours = length % timedelta(hours=1) == timedelta(0)
    most = (WEEKS if by_hours else WEEKS_OF_MINUTES) if season == WEEK else 7
    times = min(int((window.since - first) / season), most)
    values: dict[str, Any] = {
        "project": window.project.pk,
        "width": RollupWidth.HOUR if by_hours else RollupWidth.MINUTE,
        "since": window.until - (times + 1) * season,
        "until": window.until,
        "step": length.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, values)
        counts: dict[int, int] = dict(cursor.fetchall())
    a_season = season // length
    same = [
        tuple(counts.get(place + k * a_season, 0) for k in range(1, times + 1)) for place in range(min(a_season, 200))
    ]
    return VolumeHistory(length / timedelta(hours=1), counts.get(0, 0), same[0], tuple(same[1:]))


def _losses(window: WindowEvidence) -> LossStream:
    rows = list(
        Feedback.objects.filter(
            project=window.project,
            name=LABEL,
            model_number=window.reference.model_number,
            answered_at__gt=window.losses_since,
            answered_at__lte=window.until,
            worth__isnull=False,
        )
        .order_by("-answered_at", "-id")
        .values_list("worth", "answered_at")[:MOST_LOSSES]
    )
    wrong = np.array([1 - round(worth or 0) for worth, _ in reversed(rows)], np.int64)
    fresh = sum(at is not None and at > window.since for _, at in rows)
    right = window.reference.holdout().right
    months = (window.until - window.since) / timedelta(days=30)
    return LossStream(wrong, fresh, int(len(right) - right.sum()), len(right), fresh / months)


def _groups(window: WindowEvidence) -> GroupPair | None:
    before = window.reference.groups()
    if not before or not window.kept:
        return None
    names = list(window.reference.label_names)
    ids = {kept.inference_id for kept in window.kept}
    answers = Prediction.objects.shown().filter(
        project=window.project,
        inference_id__in=ids,
        at__gt=window.since,
        at__lte=window.until,
        model_number=window.reference.model_number,
    )
    said = {(a.inference_id, a.item): a.label for a in answers}
    rows = [kept for kept in window.kept if (kept.inference_id, kept.item) in said]
    columns = {name: tuple(kept.row.get(name) for kept in rows) for name in before}
    labels = [said[kept.inference_id, kept.item] for kept in rows]
    return GroupPair(
        GroupRows(before, class_indices(window.reference.holdout().predicted, names), None),
        GroupRows(columns, class_indices(labels, names), None),
    )


def _past(window: WindowEvidence) -> tuple[PastEstimate, ...]:
    """Of earlier windows of this model that are mature: mean confidence as it is corrected for this one, and what came back."""
    holdout, length = window.reference.holdout(), window.until - window.since
    if not len(holdout.truth):
        return ()
    offset = float(np.mean(holdout.confidence)) - float(holdout.right.mean())
    found = []
    for back in range(1, PAST + 1):
        since, until = window.since - back * length, window.until - back * length
        if since < window.reference.serves_since or until > window.until - window.maturity:
            continue
        of_model = {"project": window.project, "model_number": window.reference.model_number}
        sure = Prediction.objects.shown().filter(**of_model, at__gt=since, at__lte=until).aggregate(n=Avg("confidence"))
        back_came = Feedback.objects.filter(**of_model, name=LABEL, answered_at__gt=since, answered_at__lte=until)
        told = back_came.aggregate(mean=Avg("worth"), n=Count("worth"))
        if sure["n"] is not None and told["n"] >= LEAST_PAST:
            found.append(PastEstimate(sure["n"] - offset, told["mean"], told["n"]))
    return tuple(found)


FETCH: dict[MonitorNeed, Callable[[WindowEvidence], Any]] = {
    MonitorNeed.PREDICTIONS: _predictions,
    MonitorNeed.COLUMNS: _columns,
    MonitorNeed.VECTORS: _vectors,
    MonitorNeed.VOLUME: _volume,
    MonitorNeed.LOSSES: _losses,
    MonitorNeed.GROUPS: _groups,
    MonitorNeed.PAST_ESTIMATES: _past,
}


def maturity_of(project: Project) -> timedelta:
    return feedback_settings_of(project).maturity
