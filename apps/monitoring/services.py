"""Look for drift, raise and resolve alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid, NotFound
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.models import Alert, DriftCheck, Prediction
from apps.monitoring.monitors.harmless import held_back, known_by
from apps.projects.models import Project
from apps.rules import monitors
from apps.rules.log_sample import evenly
from apps.rules.monitors.policy import MONTH
from apps.rules.sentences import cut, joined, parts_of, sentence, term

DRIFT = "drift"  # the kind of alert that a drift check raises
DRIFT_TITLE = "Drift"


@dataclass(frozen=True)
class Reference:
    """What the champion said of its holdout: label and confidence of each example, in the same order."""

    label_names: Sequence[str]
    predicted: Sequence[str]
    confidence: Sequence[float]


def drift_check(
    *, project: Project, model_number: int, reference: Reference, at: datetime, seed: int, alarms: bool = True
) -> DriftCheck:
    """Compare what the champion served lately with what it said of its holdout; drift raises or refreshes an alert.

    Somebody who resolved an alert has judged the answers up to then: only what came afterwards can raise another. Without
    `alarms` it is looked and told alone: where a project has a policy, its monitors raise them, within their budget.
    """
    since = _window_begins(project, at)
    window = answers_evenly(project, model_number, since, at)
    names = list(reference.label_names)
    found = monitors.check(
        monitors.Predictions(class_indices(reference.predicted, names), np.asarray(reference.confidence, float)),
        predictions_made(window, names),
        labels=[*names, "an unknown label"],
        seed=seed,
    )
    words = joined([_ended(reason) for reason in found.reasons])
    moved = [f.name for f in found.features if f.drifted]
    known = known_by(project, DRIFT, moved, model=model_number, at=at) if moved else 0
    words = joined([held_back(known, MONTH), words]) if known else words
    with transaction.atomic():
        check = DriftCheck.objects.create(
            project=project,
            at=at,
            model_number=model_number,
            window=len(window),
            since=since,
            outcome=found.outcome,
            statistics=[
                {
                    "feature": f.name,
                    "title": f.title,
                    "statistic": f.distance,
                    "threshold": f.threshold,
                    "drifted": f.drifted,
                    "reason": f.reason,
                    "parts": parts_of(f.reason),
                    "shares": dict(f.parts),
                }
                for f in found.features
            ],
            sentence=cut(words, 400),
            parts=parts_of(words),
        )
        if found.outcome == monitors.DriftOutcome.DRIFT and alarms and not known:
            alert_raise(
                project=project, kind=DRIFT, title=DRIFT_TITLE, detail=words, check=check, at=at, monitors=moved
            )
        look_again(Topic.PROJECT.of(project.pk), News.DRIFT, check.pk)
    return check


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What monitors read of an answer."""

    label: str
    confidence: float
    margin: float | None


def answers_evenly(project: Project, model_number: int, since: datetime, until: datetime) -> list[AnswerRow]:
    """The newest that users got, as if the log had been drawn evenly."""
    rows = Prediction.objects.shown().filter(project=project, model_number=model_number, at__gt=since, at__lte=until)
    newest = rows.order_by("-at").values_list("label", "confidence", "margin", "inference_id", "share")
    kept = list(newest[: monitors.MOST_IN_WINDOW])
    even = evenly(kept, [row[3] for row in kept], [row[4] for row in kept])
    return [AnswerRow(label, sure, margin) for label, sure, margin, _, _ in even]


def predictions_made(rows: Sequence[AnswerRow], names: Sequence[str]) -> monitors.Predictions:
    return monitors.Predictions(
        class_indices([row.label for row in rows], names),
        np.asarray([row.confidence for row in rows], float),
        np.asarray([np.nan if row.margin is None else row.margin for row in rows], float),
    )


def _ended(reason: str) -> str:
    """With a full stop, whichever way the monitor left it."""
    return reason if reason.endswith(".") else sentence("{reason}.", reason=reason)


def _window_begins(project: Project, at: datetime) -> datetime:
    judged = _last_resolved(project, DRIFT)
    return max(at - monitors.WINDOW, judged) if judged else at - monitors.WINDOW


def _last_resolved(project: Project, kind: str) -> datetime | None:
    found: datetime | None = Alert.objects.filter(project=project, kind=kind).aggregate(at=Max("resolved_at"))["at"]
    return found


def class_indices(labels: Sequence[str], names: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Class indices; a label the report never saw gets the next index, so that it counts as new."""
    index = {name: i for i, name in enumerate(names)}
    return np.asarray([index.get(label, len(index)) for label in labels], np.int64)


@transaction.atomic
def alert_raise(
    *,
    project: Project,
    kind: str,
    title: str,
    detail: str,
    check: DriftCheck | None,
    at: datetime,
    monitors: Sequence[str] = (),
) -> Alert | None:
    """Open an alert, or note on the open one that it was seen again; None where the check looked at answers that
    somebody has judged meanwhile by resolving the alert."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    alert = Alert.objects.select_for_update(no_key=True).filter(project=project, kind=kind, resolved_at=None).first()
    if alert is None and check and check.since and (_last_resolved(project, kind) or check.since) > check.since:
        return None
    if alert:
        alert.last_seen_at, alert.detail, alert.check_row = at, detail[:400], check
        alert.parts = parts_of(detail)
        alert.times_seen += 1
        alert.monitors = list(dict.fromkeys([*alert.monitors, *monitors]))
        alert.save(update_fields=["last_seen_at", "detail", "parts", "check_row", "times_seen", "monitors"])
        return alert
    alert = Alert.objects.create(
        project=project,
        kind=kind,
        title=title,
        detail=detail[:400],
        parts=parts_of(detail),
        opened_at=at,
        last_seen_at=at,
        check_row=check,
        monitors=list(monitors),
    )
    event_record(
        project_id=project.pk,
        verb=Verb.ALERT_RAISED,
        subject=f"alert {alert.pk}",
        by=None,
        at=at,
        sentence=sentence("{title}: {detail}", title=term(title), detail=detail),
        after={"severity": str(alert.severity), "cause": kind},
    )
    look_again(Topic.PROJECT.of(project.pk), News.ALERT, alert.pk)
    return alert


@transaction.atomic
def alert_resolve(*, project: Project, alert_id: int, note: str, by: User | None, at: datetime) -> Alert:
    """Closed with a note; `by` nobody where the alarm closes itself."""
    alert = Alert.objects.select_for_update(no_key=True).filter(pk=alert_id, project=project).first()
    if alert is None:
        raise NotFound(gettext("There is no such alarm."))
    if alert.resolved_at:
        raise DomainError(
            gettext("{somebody} resolved this alarm already: “{note}”.").format(
                somebody=alert.resolved_by or "Somebody", note=alert.note
            )
        )
    if not note.strip():
        raise Invalid(
            gettext("Say in a note what it was; the next person to see such an alarm will read it."), field="note"
        )
    alert.resolved_at, alert.resolved_by, alert.note = at, by, note.strip()[:400]
    alert.save(update_fields=["resolved_at", "resolved_by", "note"])
    event_record(
        project_id=project.pk,
        verb=Verb.ALERT_RESOLVED,
        subject=f"alert {alert.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} resolved the alarm “{title}”: {note}",
            by=by or term("System"),
            title=term(alert.title),
            note=alert.note if by else note,
        ),
    )
    look_again(Topic.PROJECT.of(project.pk), News.ALERT, alert.pk)
    return alert
