"""Which kind of shift an alarm found, decided once while its lane is labeled; and what a run that mends is told of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.datasets.selectors import column_values
from apps.datasets.versions import version_rows
from apps.errors import DomainError
from apps.integrations.ports import Unavailable
from apps.labeling.models import DriftExample
from apps.labeling.services.drift_lane import drift_lane_labels
from apps.loop.mending.drift_lane import answers_in, features_moved, kept_requests, request_name, window_of
from apps.loop.mending.selectors import model_numbered
from apps.loop.models import Mending, RunShift
from apps.monitoring.models import AskedPayload, Prediction
from apps.monitoring.services import answers_evenly
from apps.releases.models import ModelVersion
from apps.rules.mending import AlarmPolicy, ContradictedAnswers, ShiftAdvice, ShiftKind, as_before_given, shift_of
from apps.rules.mending.shifts import PREDICTED
from apps.rules.sentences import cut, parts_of
from apps.training.models import Run

MOST_COMPARED = 2_000  # rows of each side


def shift_look(mending: Mending) -> None:
    """Decide it, once."""
    if mending.shift:
        return
    moved = features_moved(mending.alert)
    given = _given(mending) if PREDICTED in moved else None
    advice = shift_of(mending.alert.kind, moved, None, given)
    mending.shift, mending.shift_words = str(advice.kind), cut(advice.because, 400)
    mending.shift_parts = parts_of(advice.because)
    mending.save(update_fields=["shift", "shift_words", "shift_parts"])


def shift_in_force(mending: Mending, policy: AlarmPolicy) -> ShiftAdvice:
    """What the policy says, else what was found."""
    if policy.retrain.shift is not None:
        return shift_of(mending.alert.kind, (), policy.retrain.shift, None)
    return ShiftAdvice(ShiftKind(mending.shift or ShiftKind.NONE), mending.shift_words)


def _given(mending: Mending) -> bool | None:
    """Whether what was asked is, among requests with one answer, as the rows with that label; None where nothing tells."""
    version = model_numbered(mending.project, mending.model_number)
    if version is None or version.run.dataset_version is None:
        return None
    try:
        rows = [row for row in version_rows(version.run.dataset_version) if not row.holdout]
    except (Unavailable, DomainError):
        return None
    rows = rows[:: max(len(rows) // MOST_COMPARED, 1)][:MOST_COMPARED]
    before = column_values(mending.project, [row.example_id for row in rows])
    said = answers_in(mending)
    asked = [
        p for p in kept_requests(mending).order_by("-at", "-pk")[:MOST_COMPARED] if (p.inference_id, p.item) in said
    ]
    now = {name: [p.row.get(name) for p in asked] for name in before}
    return as_before_given(before, [row.label for row in rows], now, [said[p.inference_id, p.item][0] for p in asked])


def run_shift_set(mending: Mending, policy: AlarmPolicy, run: Run) -> RunShift:
    """What the worker of this run is told."""
    since, until = window_of(mending.alert)
    opened = mending.alert.opened_at
    kind = shift_in_force(mending, policy).kind
    return RunShift.objects.create(
        run=run, mending=mending, kind=str(kind), since=since or opened, until=until or opened
    )


def contradicted_in(mending: Mending) -> ContradictedAnswers:
    """Of what was drawn by chance and judges nothing: judges that had a say in whether to train would flatter the new model."""
    drawn = DriftExample.objects.filter(alert_number=mending.pk, judges=False, by_chance=True)
    lane = drawn.filter(example__label__label__isnull=False)
    labels = dict(lane.values_list("example__external_id", "example__label__label__name"))
    names = {form for name in labels for form in (name, name.rpartition("#")[0])}
    rows = Prediction.objects.filter(
        project=mending.project,
        model_number=mending.model_number,
        inference_id__in=names,
        at__lte=mending.alert.opened_at,
    )
    said = {request_name(name, item): label for name, item, label in rows.values_list("inference_id", "item", "label")}
    held = [said[name] != label for name, label in labels.items() if name in said]
    return ContradictedAnswers(sum(held), len(held), usual_wrong(mending))


def usual_wrong(mending: Mending) -> float:
    """The share that the model of the alarm had wrong on its holdout; 0 where it was not measured."""
    version = model_numbered(mending.project, mending.model_number)
    accuracy = version.report.metrics.get("accuracy", {}).get("value") if version is not None else None
    return 0.0 if accuracy is None else 1 - accuracy


@dataclass(frozen=True)
class ShiftFacts:
    """What a worker weighs old labels by. `confusion` is of the holdout, rows the truth and columns the answer, both `names`;
    `answered` counts the answers of the window in that order."""

    version: ModelVersion
    payloads: Sequence[AskedPayload]
    learned: Sequence[tuple[int, str]]  # of the lane: (example, label)
    names: Sequence[str]
    confusion: Any
    answered: Sequence[int]
    usual_wrong: float


def run_shift_of(run: Run) -> RunShift | None:
    """Of this run, or of the one that it repeats; None for a run that no alarm started."""
    found = RunShift.objects.filter(run_id=run.reproduces_id or run.pk).select_related(
        "mending__project", "mending__alert"
    )
    return found.first()


def shift_facts(shift: RunShift) -> ShiftFacts | None:
    """None where the alarm or its model is gone."""
    mending = shift.mending
    version = model_numbered(mending.project, mending.model_number) if mending is not None else None
    if mending is None or version is None:
        return None
    report, (since, until) = version.report, window_of(mending.alert)
    names, opened = list(report.label_names), mending.alert.opened_at
    said = Counter(
        each.label for each in answers_evenly(mending.project, mending.model_number, since or opened, until or opened)
    )
    counts = [said[name] for name in names]
    return ShiftFacts(
        version,
        list(kept_requests(mending).order_by("-at", "-pk")[:MOST_COMPARED]),
        drift_lane_labels(mending.project, mending.pk, judges=False),
        names,
        report.confusion,
        counts,
        usual_wrong(mending),
    )


def run_shift_counted(*, run_id: int, counts_url: str) -> None:
    RunShift.objects.filter(pk=run_id).update(counts_url=counts_url)


def is_old(resolved_at: datetime, shift: RunShift) -> bool:
    """Whether a label is from before the window."""
    return resolved_at <= shift.since
