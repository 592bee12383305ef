"""Fetch what monitors read of one window, from the prediction log, kept requests and matured feedback; no more than they ask."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Count, F, Sum

from apps.monitoring.feedback.settings import feedback_settings_of
from apps.monitoring.log.traffic import first_answer
from apps.monitoring.models import AskedPayload, Feedback, Prediction, VectorsFault
from apps.monitoring.models.rollups import RollupWidth
from apps.monitoring.monitors.reference import MonitorReference
from apps.monitoring.monitors.vectors import MOST_ROWS, WAIT, kept_in, window_vectors
from apps.monitoring.services import answers_evenly, class_indices, predictions_made
from apps.projects.models import Project
from apps.rules.feedback import LABEL
from apps.rules.log_sample import evenly
from apps.rules.monitors import (
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
from apps.rules.sentences import sentence, term

MOST_LOSSES = 20_000  # the newest
PAST, LEAST_PAST = 10, 20  # earlier windows whose estimates are held against feedback, and labels that one needs
WEEKS, WEEKS_OF_MINUTES = 8, 4  # back, as far as hours and minutes are kept
WEEK, DAY = timedelta(days=7), timedelta(days=1)


@dataclass
class WindowEvidence:
    """Of one window of one project: each part is fetched at the first monitor that reads it, once for all of them."""

    project: Project
    reference: MonitorReference
    since: datetime
    until: datetime
    losses_since: datetime
    maturity: timedelta
    at: datetime  # of the look
    _parts: dict[MonitorNeed, Any] = field(default_factory=dict)

    def of(self, needs: Collection[MonitorNeed]) -> MonitorEvidence:
        names, holdout = list(self.reference.label_names), self.reference.holdout()
        before = Predictions(
            class_indices(holdout.predicted, names), np.asarray(holdout.confidence, float), holdout.margins
        )
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
        """The newest kept requests of the window, as if the log had been drawn evenly."""
        return kept_in(self.project, self.since, self.until)


def _predictions(window: WindowEvidence) -> Predictions:
    rows = answers_evenly(window.project, window.reference.model_number, window.since, window.until)
    names = list(window.reference.label_names)
    return predictions_made(rows, names)


def _columns(window: WindowEvidence) -> ColumnPair | None:
    """None where the log keeps nothing, which is another thing than a window without requests."""
    if not window.kept and not AskedPayload.objects.filter(project=window.project).exists():
        return None
    learned = window.reference.learned.columns()
    rows = [kept.row for kept in window.kept]
    there = dict.fromkeys(name for row in rows for name in row)
    return ColumnPair(learned, {name: tuple(row.get(name) for row in rows) for name in there})


FAULTS = {
    VectorsFault.MISSING: term("its weights cannot be loaded"),
    VectorsFault.UNREAD: term("it can read none of the requests"),
}


def _vectors(window: WindowEvidence) -> VectorPair | None:
    """By the champion's encoder; where that gives none, by simpler ones, which say why. Raises WindowWaits."""
    if window.reference.encode is None or not window.kept:
        return None
    why = sentence("no vectors of its training examples are stored")
    encoded = window.reference.encoded
    before = encoded.learned() if encoded is not None else None
    if encoded is not None and before is not None:
        made = window_vectors(window.project, encoded.encoder, window.since, window.until, at=window.at)
        if made is not None and made.n:
            return VectorPair(before, made.rows, encoded.encoder)
        why = sentence("its vectors did not come within {minutes} min", minutes=WAIT // timedelta(minutes=1))
        if made is not None:
            why = FAULTS[VectorsFault(made.fault)]
    return _simpler(window, sentence("Not as the champion's encoder sees it, but by simpler vectors: {why}.", why=why))


def _simpler(window: WindowEvidence, words: str) -> VectorPair | None:
    before, encode = window.reference.learned.vectors(), window.reference.encode
    if before is None or encode is None:
        return None
    now = encode([k.row for k in window.kept], [bytes(k.image) if k.image else None for k in window.kept])
    return VectorPair(before, now, fell_back=words) if now is not None and len(now) else None


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
    """In the order of the answers: labels that came back, and those that people gave where none did."""
    said = _answers_judged(window, window.losses_since, window.until)
    in_turn = [each[:2] for each in said.values()][::-1]  # so that those of one moment stay as they came
    newest = sorted(in_turn, key=itemgetter(0))[-MOST_LOSSES:]
    wrong = np.array([each for _, each in newest], np.int64)
    fresh = sum(at > window.since for at, _ in newest)
    right = window.reference.holdout().right
    months = (window.until - window.since) / timedelta(days=30)
    return LossStream(wrong, fresh, int(len(right) - right.sum()), len(right), fresh / months)


def _answers_judged(
    window: WindowEvidence, since: datetime, until: datetime
) -> dict[tuple[str, int], tuple[datetime, int, float]]:
    """By request and row: when it was answered, whether that was wrong, and its share. As if the log had been drawn evenly."""
    found = {
        (each.inference_id, each.item): (each.at, int(each.wrong), each.share)
        for each in window.reference.audited(since, until)
    }
    came = Feedback.objects.filter(
        project=window.project,
        name=LABEL,
        model_number=window.reference.model_number,
        answered_at__gt=since,
        answered_at__lte=until,
        worth__isnull=False,
    ).order_by("-answered_at", "-id")
    kept = came.values_list("inference_id", "item", "answered_at", "worth", "share")
    for name, item, at, worth, share in kept[:MOST_LOSSES]:
        if at is not None:
            found[name, item] = (at, 1 - round(worth or 0), share)
    ids, shares = [name for name, _ in found], [share for _, _, share in found.values()]
    return dict(evenly(list(found.items()), ids, shares))


def _groups(window: WindowEvidence) -> GroupPair | None:
    """What is answered in the window, and what was wrong in the one before it whose labels are mature by now."""
    before = window.reference.groups()
    if not before:
        return None
    names, holdout = list(window.reference.label_names), window.reference.holdout()
    kept, said = _answered_rows(window, window.kept, window.since, window.until)
    if not kept:
        return None
    held = GroupRows(before, class_indices(holdout.predicted, names), 1 - holdout.right)
    now = GroupRows(_group_columns(kept, before), class_indices(said, names))
    return GroupPair(held, now, _groups_judged(window, before, names))


def _groups_judged(window: WindowEvidence, before: Mapping[str, Any], names: list[str]) -> GroupRows | None:
    since, until = window.since - window.maturity, window.until - window.maturity
    rows = AskedPayload.objects.filter(project=window.project, at__gt=since, at__lte=until).defer("image")
    kept, said = _answered_rows(window, list(rows.order_by("-at", "-id")[:MOST_ROWS]), since, until)
    judged = _answers_judged(window, since, until)
    known = [i for i, each in enumerate(kept) if (each.inference_id, each.item) in judged]
    if not known:
        return None
    those = [kept[i] for i in known]
    wrong = np.array([judged[each.inference_id, each.item][1] for each in those], np.int64)
    return GroupRows(_group_columns(those, before), class_indices([said[i] for i in known], names), wrong)


def _group_columns(kept: Sequence[AskedPayload], before: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(each.row.get(name) for each in kept) for name in before}


def _answered_rows(
    window: WindowEvidence, kept: Sequence[AskedPayload], since: datetime, until: datetime
) -> tuple[list[AskedPayload], list[str]]:
    """Those that this model answered, with what it said, as if the log had been drawn evenly."""
    answers = Prediction.objects.shown().filter(
        project=window.project,
        inference_id__in={each.inference_id for each in kept},
        at__gt=since,
        at__lte=until,
        model_number=window.reference.model_number,
    )
    those = list(answers.values_list("inference_id", "item", "label", "share"))
    those = evenly(those, [name for name, *_ in those], [share for *_, share in those])
    said = {(name, item): label for name, item, label, _ in those}
    rows = [each for each in kept if (each.inference_id, each.item) in said]
    return rows, [said[each.inference_id, each.item] for each in rows]


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
        sure = Prediction.objects.shown().filter(**of_model, at__gt=since, at__lte=until)
        back_came = Feedback.objects.filter(**of_model, name=LABEL, answered_at__gt=since, answered_at__lte=until)
        told = back_came.filter(worth__isnull=False).aggregate(mean=_weighed("worth"), n=Count("worth"))
        mean = sure.aggregate(n=_weighed("confidence"))["n"]
        if mean is not None and told["n"] >= LEAST_PAST:
            found.append(PastEstimate(mean - offset, told["mean"], told["n"]))
    return tuple(found)


def _weighed(name: str) -> Any:
    """Its mean, each row of the log as often as there were such answers."""
    return Sum(F(name) / F("share")) / Sum(1 / F("share"))


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
