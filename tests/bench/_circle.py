"""One arm on one stream: the product's own services, from a day's requests to whatever the arm makes of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol
from unittest import mock

import numpy as np
from django.utils import timezone

from apps.cases.simulation import people
from apps.evaluation.reporting.overriding import gates_override
from apps.integrations import wiring
from apps.labeling.models import DriftExample
from apps.loop import services as loop
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.services import alarms_mend
from apps.loop.setup.services import project_open
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Alert
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.services import alert_resolve
from apps.projects.policies.services import policy_set
from apps.projects.services import LabelSpec
from apps.releases.models import ModelVersion
from apps.releases.selectors import champion_of
from apps.releases.services import model_promote
from apps.rules.mending import alarm_policy_of
from apps.rules.monitors import monitor_policy_of
from apps.training.models import Run, RunState, RunTrigger, Trigger
from tests.bench._streams import DAY, DailyStream, StreamRow
from tests.workers.at_once import JobsAtOnce
from workers.tasks.bundles import bundle_today
from workers.training.models.bundle import predict

BATCH = 1000  # rows of a file of labels
LANE, ENOUGH = 120, 80  # the alarm policy's own numbers
GIVEN_UP = timedelta(days=14)  # after it a person resolves an alarm that is still open
SWEEPS = 6  # at the end of a day: label, train, judge, measure, release, close
MONITORS = {
    "budget": 1,
    "monitors": [
        {"type": "class_mix", "window": "7d"},
        {"type": "confidence", "window": "7d"},
        {"type": "column-drift", "window": "7d"},
        {"type": "estimated-performance", "window": "7d"},
    ],
}
ALARMS = {
    "severity": "warns",
    "rollback": {"mode": "off"},
    "lane": {"mode": "auto", "examples": LANE},
    "retrain": {"mode": "auto", "labels": ENOUGH},
}
Say = Callable[[str], None]


class Arm(Protocol):
    name: str

    def begin(self, circle: "Circle") -> None: ...

    def evening(self, circle: "Circle", asked: Sequence[StreamRow], at: datetime) -> None: ...


class Circle:
    """A project with its first model, and what has been answered right of the stream."""

    def __init__(self, stream: DailyStream, arm: Arm) -> None:
        self.stream, self.arm, self.name = stream, arm, arm.name
        self.now = stream.days[0][0]
        self.said: list[str] = []
        self.labels = self.releases = 0
        self.engineer = people.engineer()

    @property
    def right(self) -> Any:
        """(n,) of 0 and 1."""
        truth = [row.label for _, rows in self.stream.days for row in rows]
        return np.array([said == true for said, true in zip(self.said, truth, strict=True)], np.int64)

    @property
    def alarms(self) -> int:
        return Alert.objects.filter(project=self.project).count()

    @property
    def runs(self) -> int:
        return Run.objects.filter(project=self.project).count() - 1

    def played(self, say: Say) -> "Circle":
        began = time.monotonic()
        with self._clock():
            self._first_model()
            for midnight, rows in self.stream.days:
                self._answer(rows)
                self.now = midnight + DAY
                self.arm.evening(self, rows, self.now)
        self.releases = (
            ModelVersion.objects.filter(project=self.project, promotions__isnull=False).distinct().count() - 1
        )
        say(f"  ({self.name}: {time.monotonic() - began:.0f} s)")
        return self

    @contextmanager
    def _clock(self) -> Iterator[None]:
        with mock.patch.object(timezone, "now", lambda: self.now), mock.patch.object(wiring, "jobs", JobsAtOnce()):
            yield

    def _first_model(self) -> None:
        at = self.now
        self.project = project_open(
            name=f"{self.stream.name} {self.name}",
            task_type="tabular-classification",
            labels=[LabelSpec(x) for x in self.stream.labels],
            guidelines="A stream in time order.",
            by=self.engineer,
            at=at,
        )
        Trigger.objects.create(project=self.project, enabled=False)
        self.project.holdout_salt = "the same holdout for every arm"
        self.project.save(update_fields=["holdout_salt"])
        self.take(self.stream.first)
        self.arm.begin(self)
        self.promoted(self.trained("full"), "The first model of the stream, whatever its gates say.")

    def take(self, rows: Sequence[StreamRow]) -> None:
        """As a file of rows with their labels."""
        for start in range(0, len(rows), BATCH):
            part = [
                {**row.values, "id": row.name, "label": row.label, "timestamp": row.at.isoformat()}
                for row in rows[start : start + BATCH]
            ]
            loop.batch_take(project=self.project, rows=part, source="stream", by=self.engineer, at=self.now)

    def trained(self, kind: str) -> ModelVersion:
        run = loop.run_start_now(
            project=self.project, kind=kind, by=self.engineer, at=self.now, trigger_type=RunTrigger.SIMULATED
        )
        run.refresh_from_db()
        if run.state != RunState.COMPLETED:
            raise RuntimeError(f"Run {run.number} {run.state}: {run.error}")
        return ModelVersion.objects.get(run=run)

    def promoted(self, version: ModelVersion, reason: str) -> None:
        """Released whatever its gates say."""
        if version.report.closes:
            gates_override(report=version.report, reason=reason, by=self.engineer, at=self.now)
        model_promote(version=version, reason=reason, by=self.engineer, at=self.now)

    def _answer(self, rows: Sequence[StreamRow]) -> None:
        champion = champion_of(self.project)
        assert champion is not None
        if not rows:
            return
        bundle = bundle_today(champion.run)
        found = np.nan_to_num(predict(bundle, [row.values for row in rows]))
        places, sure = bundle.learner.outputs.top(found)
        self.said += [bundle.labels[int(place)] for place in places]
        predictions_record(
            rows=[
                LoggedPrediction(
                    self.project.pk,
                    row.name,
                    row.at,
                    champion.number,
                    bundle.labels[int(place)],
                    float(confidence),
                    1.0,
                    asked=AskedRow(row.values),
                )
                for row, place, confidence in zip(rows, places, sure, strict=True)
            ]
        )


class Frozen:
    name = "frozen"

    def begin(self, circle: Circle) -> None: ...

    def evening(self, circle: Circle, asked: Sequence[StreamRow], at: datetime) -> None: ...


class Monthly:
    """`labels` a month, drawn by chance from the month before; trained on all there are; released whatever its gates say."""

    def __init__(self, kind: str, labels: int) -> None:
        self.name, self.kind, self.share = f"monthly, {kind}", kind, labels
        self.asked: list[StreamRow] = []
        self.chance = np.random.default_rng(0)

    def begin(self, circle: Circle) -> None: ...

    def evening(self, circle: Circle, asked: Sequence[StreamRow], at: datetime) -> None:
        self.asked += asked
        if at not in circle.stream.months:
            return
        drawn = self.chance.permutation(len(self.asked))[: self.share]
        if len(drawn):
            circle.take([self.asked[i] for i in sorted(drawn)])
            circle.labels += len(drawn)
            circle.promoted(circle.trained(self.kind), "Released blindly, as every month, whatever its gates say.")
        self.asked = []


class Auto:
    """Alarms, lanes, runs, gates and releases by themselves; two scripted people answer a lane on the evening it is made."""

    name = "auto"

    def begin(self, circle: Circle) -> None:
        self.truth = {row.name: row.label for _, rows in circle.stream.days for row in rows}
        at, by, project = circle.now, circle.engineer, circle.project
        policy_set(MONITOR_POLICY, project=project, policy=monitor_policy_of(MONITORS), by=by, at=at)
        policy_set(ALARM_POLICY, project=project, policy=alarm_policy_of(ALARMS), by=by, at=at)
        self.staff = people.annotators(project, 1, by=by, at=at)

    def evening(self, circle: Circle, asked: Sequence[StreamRow], at: datetime) -> None:
        loop.drift_check_all(at=at)
        for sweep in range(SWEEPS):
            circle.now = at + sweep * timedelta(minutes=3)
            alarms_mend(at=circle.now)
            waiting = DriftExample.objects.filter(project=circle.project, example__label=None).count()
            if waiting:
                seed = 100 * circle.labels + sweep
                circle.labels += people.label_round(circle.project, self.staff, self.truth, waiting, seed=seed)
        for alert in Alert.objects.filter(project=circle.project, resolved_at=None, opened_at__lt=at - GIVEN_UP):
            note = "Nothing more comes of it."
            alert_resolve(project=circle.project, alert_id=alert.pk, note=note, by=circle.engineer, at=circle.now)
