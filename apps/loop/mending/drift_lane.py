"""The second link: logged requests of the drifted slice become examples that people are asked about before the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max, Min, QuerySet

from apps.accounts.models import User
from apps.datasets import services as datasets
from apps.datasets.batches import KeptBeside, StoredRow
from apps.datasets.content import content_digest
from apps.datasets.models import Example
from apps.datasets.readers import Row
from apps.errors import DomainError
from apps.integrations.ports import Unavailable
from apps.labeling.services.drift_lane import LaneExample, drift_lane_counts, drift_lane_put
from apps.loop.mending.selectors import model_numbered
from apps.loop.mending.steps import FINAL, refusal_of, step_of, step_set
from apps.loop.models import Mending, MendingLink, StepState
from apps.loop.returned import row_asked
from apps.loop.services.intake import examples_follow_up
from apps.loop.services.references import reference_of
from apps.monitoring.models import Alert, AskedPayload, Prediction, ReadingOutcome
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadRefused
from apps.rules.log_sample import evenly
from apps.rules.mending import AlarmPolicy, LinkMode, SlicePick, excess_of, slice_picks
from apps.rules.monitors.column_parts import lengths
from apps.rules.sentences import sentence

LINK = MendingLink.LANE
MOST_READ = 5_000  # kept requests of the window, the newest
MOST_NAMED = 3  # columns in the reason on the desk


@dataclass(frozen=True)
class SliceRequests:
    """Kept requests of the alarm's window that no example shows yet, with what was answered; `excess` (n,) as in the rules."""

    payloads: Sequence[AskedPayload]
    excess: Any
    confidence: Any
    columns: Sequence[str]
    kept: int  # before those were left out that are examples


def lane_look(mending: Mending, policy: AlarmPolicy, at: datetime) -> None:
    """Propose it, do it, or say what is missing; where nothing is kept yet it is looked again."""
    mode, step = policy.mode(policy.lane.mode, mending.alert.severity), step_of(mending, LINK)
    if mode is LinkMode.OFF or (step is not None and step.state in FINAL):
        return
    if not kept_requests(mending).exists():
        step_set(mending, LINK, StepState.WAITING, _nothing_kept(), at=at)
    elif mode is LinkMode.AUTO:
        lane_do(mending, policy, by=None, at=at)
    else:
        words = sentence(
            "Ask people about {n} requests of its window at most; every third judges the next model.",
            n=policy.lane.examples,
        )
        step_set(mending, LINK, StepState.PROPOSED, words, at=at)


def lane_do(mending: Mending, policy: AlarmPolicy, *, by: User | None, at: datetime) -> None:
    """Make the examples, whole or not at all, within the caller's transaction. Raises DomainError where nothing is kept."""
    if not kept_requests(mending).exists():
        raise refusal_of(_nothing_kept())
    found = requests_of(mending)
    picks = slice_picks(found.excess, found.confidence, most=policy.lane.examples, seed=mending.pk)
    if picks:
        _take(mending, found, picks, by, at)
    counts = drift_lane_counts(mending.project, mending.pk)
    if not counts.examples:
        words = sentence(
            "All {n} requests of its window that were kept are examples already, or cannot be.", n=found.kept
        )
        step_set(mending, LINK, StepState.NOTHING, words, at=at)
        return
    judges = counts.examples - _learning(mending)
    words = sentence(
        "{n} requests of its window were put before people; {judges} of them judge the next model.",
        n=counts.examples,
        judges=judges,
    )
    step_set(mending, LINK, StepState.DONE, words, at=at, by=by, examples=counts.examples, judges=judges)
    transaction.on_commit(partial(examples_follow_up, mending.project, at=at))


def _learning(mending: Mending) -> int:
    return mending.project.drift_examples.filter(alert_number=mending.pk, judges=False).count()


def _nothing_kept() -> str:
    return sentence(
        "The log keeps nothing of what was asked in its window, so there is nothing to label. Feedback, Settings says how "
        "much is kept of what is asked from now on."
    )


def window_of(alert: Alert) -> tuple[datetime | None, datetime | None]:
    """All windows of its monitors that were raised; else its own."""
    raised = alert.readings.filter(outcome=ReadingOutcome.RAISED).aggregate(since=Min("since"), until=Max("until"))
    return raised["since"] or alert.window_since, raised["until"] or alert.window_until


def kept_requests(mending: Mending) -> "QuerySet[AskedPayload]":
    """Of its window, whose content the log kept."""
    since, until = window_of(mending.alert)
    rows = AskedPayload.objects.filter(project=mending.project)
    return rows.filter(at__gt=since, at__lte=until) if since and until else rows.none()


def requests_of(mending: Mending) -> SliceRequests:
    """What was asked in the window, by the model that the alarm is about, each content once."""
    project = mending.project
    payloads = list(kept_requests(mending).order_by("-at", "-id")[:MOST_READ])
    payloads = evenly(payloads, [p.inference_id for p in payloads], [p.share for p in payloads])
    said = answers_in(mending)
    payloads = [p for p in payloads if (p.inference_id, p.item) in said]
    answers = [said[p.inference_id, p.item] for p in payloads]
    moved = features_moved(mending.alert)
    excess = _excess(mending, payloads, [label for label, _ in answers], moved)
    confidence = np.array([sure for _, sure in answers], float)
    new = _new_ones(project, payloads)
    return SliceRequests(
        [payloads[i] for i in new], excess[new], confidence[new], list(columns_among(moved, payloads)), len(payloads)
    )


def answers_in(mending: Mending) -> dict[tuple[str, int], tuple[str, float]]:
    """Label and confidence of what the model of the alarm answered in its window, the newest that the log has a row of."""
    since, until = window_of(mending.alert)
    rows = Prediction.objects.shown().filter(
        project=mending.project, model_number=mending.model_number, at__gt=since, at__lte=until
    )
    found = rows.order_by("-at").values_list("inference_id", "item", "label", "confidence")[: 4 * MOST_READ]
    return {(name, item): (label, sure) for name, item, label, sure in found}


def features_moved(alert: Alert) -> dict[str, Mapping[str, Any]]:
    """What drifted, of its monitors or of its drift check, each with the shares of its parts; what moved most comes first."""
    moved: dict[str, Mapping[str, Any]] = {}
    for features in alert.readings.filter(outcome=ReadingOutcome.RAISED).values_list("features", flat=True):
        for each in features:
            if each.get("drifted"):
                moved.setdefault(str(each["name"]), each.get("parts") or {})
    for each in alert.check_row.statistics if alert.check_row is not None else ():
        if each.get("drifted"):
            moved.setdefault(str(each["feature"]), each.get("shares") or {})
    return moved


def columns_among(moved: Iterable[str], payloads: Sequence[AskedPayload]) -> dict[str, str]:
    """By feature, the column of the requests that it is, or whose length it is."""
    there = {name for payload in payloads for name in payload.row}
    named = {f"length of {name}": name for name in there} | {name: name for name in there}
    return {feature: named[feature] for feature in moved if feature in named}


def _excess(
    mending: Mending, payloads: Sequence[AskedPayload], labels: Sequence[str], moved: Mapping[str, Mapping[str, Any]]
) -> Any:
    """(n,), summed over what moved; 0 where that has no parts, as of vectors and losses: the slice is then the whole window."""
    found, columns = np.zeros(len(payloads)), columns_among(moved, payloads)
    learned = _learned(mending) if columns else {}
    for feature, parts in moved.items():
        column = columns.get(feature, "")
        if not column:  # of answers, by what was answered
            more = _more_frequent(parts)
            found += np.array([more.get(label, 0.0) for label in labels])
        elif column in learned:
            before, now = learned[column], [p.row.get(column) for p in payloads]
            found += excess_of(before, now) if feature == column else excess_of(lengths(before), lengths(now))
    return found


def _more_frequent(parts: Mapping[str, Any]) -> dict[str, float]:
    """By the name of a part, how much larger its share is."""
    shares = zip(parts.get("names", ()), parts.get("reference", ()), parts.get("window", ()), strict=True)
    return {name: now - before for name, before, now in shares if now > before}


def _learned(mending: Mending) -> Mapping[str, Sequence[Any]]:
    """Columns of what the model of the alarm learned from; none where it cannot be read now."""
    version = model_numbered(mending.project, mending.model_number)
    try:
        return reference_of(version).learned.columns() if version is not None else {}
    except (Unavailable, DomainError):
        return {}


def _new_ones(project: Project, payloads: Sequence[AskedPayload]) -> list[int]:
    """Places of those that can be examples, each content once, and that no example of the project shows, in the holdout or not."""
    task, digests = task_types.get(project.task_type), dict[str, int]()
    for place, payload in enumerate(payloads):
        try:
            image = {} if payload.image is None else {"image": bytes(payload.image)}
            read = task.read({**payload.row, **image})
        except PayloadRefused:
            continue
        digests.setdefault(content_digest(read.fields, read.blob), place)
    known = Example.objects.filter(project=project, content_digest__in=list(digests))
    there = set(known.values_list("content_digest", flat=True))
    return [place for digest, place in digests.items() if digest not in there]


def _take(mending: Mending, found: SliceRequests, picks: Sequence[SlicePick], by: User | None, at: datetime) -> None:
    beside = LaneRows(mending, dict(enumerate(picks, start=1)), found.columns)
    ingestion = datasets.ingestion_open(project=mending.project, source=f"alarm {mending.pk}", by=by, at=at)
    claimed = datasets.ingestion_claim(ingestion_id=ingestion.pk, at=at)
    assert claimed is not None  # nobody else knows its id yet
    rows = (Row(n, _row(found.payloads[pick.place])) for n, pick in beside.picks.items())
    datasets.examples_ingest(ingestion=claimed, rows=rows, now=lambda: at, beside=beside, drawn=False)
    datasets.ingestion_close(ingestion=claimed, at=at)


def _row(payload: AskedPayload) -> dict[str, Any]:
    """Called as its request was; a later row of several bears its place."""
    return row_asked(payload, request_name(payload.inference_id, payload.item), payload.at)


def request_name(inference_id: str, item: int) -> str:
    """What the example of one row of a request is called."""
    return f"{inference_id}#{item}" if item else inference_id


class LaneRows:
    """The `Beside` of apps.datasets for the examples of one alarm; `picks` are by row number."""

    def __init__(self, mending: Mending, picks: Mapping[int, SlicePick], columns: Sequence[str]) -> None:
        self.mending, self.picks = mending, picks
        alert = mending.alert
        self.reason = {
            "alert": alert.pk,
            "since": alert.opened_at.isoformat(),
            "cause": alert.title,
            "columns": list(columns)[:MOST_NAMED],
        }

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return dict(values)

    def read(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        return values, True

    def check(self, said: Any, fields: Mapping[str, Any], at: datetime) -> Any:
        return said

    def keep(self, kept: Sequence[StoredRow], *, at: datetime) -> KeptBeside:
        """Within the batch's transaction, so that no other lane is given them first."""
        asked = [
            LaneExample(k.example_id, pick.judges, pick.by_chance, self.reason | {"why": pick.why})
            for k, pick in ((k, self.picks[k.row_number]) for k in kept)
            if k.fresh and not k.holdout
        ]
        project, run = self.mending.project, self.mending.run
        number = run.number if run else None
        drift_lane_put(project=project, alert_number=self.mending.pk, asked=asked, run_number=number, at=at)
        return KeptBeside()
