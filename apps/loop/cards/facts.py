"""What each stage is judged by."""

from dataclasses import dataclass
from datetime import datetime

from apps.evaluation.models import Report
from apps.loop.mending.selectors import AlarmProposal
from apps.monitoring.models import DriftCheck
from apps.releases.models import ModelVersion, Promotion, ReleaseRequest
from apps.training.models import Run, Trigger


@dataclass(frozen=True)
class Collecting:
    new: int
    reading: int
    oldest: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class TrainingFacts:
    fresh: int
    oldest: datetime | None
    open_run: Run | None
    last_run: Run | None
    trigger: Trigger
    learns: bool  # a model learns this kind of answer here


@dataclass(frozen=True)
class Evaluating:
    waiting: int
    oldest: datetime | None
    run: Run | None
    report: Report | None


@dataclass(frozen=True)
class Deploying:
    champion: ModelVersion | None
    candidate: ModelVersion | None
    loading: Promotion | None
    asked: ReleaseRequest | None  # a release that waits for a second person


@dataclass(frozen=True)
class Monitoring:
    alerts: int
    oldest: datetime | None
    check: DriftCheck | None
    serves: bool
    proposal: AlarmProposal | None = None  # of an open alarm
