"""A champion whose holdout is half ham, traffic that is or is not as that, and a policy that is in force."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from apps.accounts.models import User
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.monitoring.models import AskedPayload, Feedback, MonitorReading
from apps.monitoring.monitors.looking import monitors_look
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.reference import HoldoutAnswers, MonitorReference, ReferenceRows
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.rules.monitors import monitor_policy_of
from tests.conftest import NOON

SERVES = NOON - timedelta(days=40)
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0, microsecond=0)
LEARNED = {"age": tuple(range(20, 60)) * 5, "city": ("Rome", "Oslo") * 100}


def holdout() -> HoldoutAnswers:
    """200 examples, half of them ham, one in ten wrong."""
    truth = ["ham", "spam"] * 100
    predicted = [("spam" if t == "ham" else "ham") if i % 20 in (0, 11) else t for i, t in enumerate(truth)]
    sure = np.random.default_rng(0).beta(9, 1, 200).tolist()
    return HoldoutAnswers(truth, predicted, sure)


def reference(**more: Any) -> MonitorReference:
    given: dict[str, Any] = {
        "model_number": 1,
        "serves_since": SERVES,
        "label_names": ("ham", "spam"),
        "holdout": holdout,
        "learned": ReferenceRows(columns=lambda: LEARNED, vectors=lambda: None),
    }
    return MonitorReference(**given | more)


def look(project: Project, at: datetime, **more: Any) -> list[MonitorReading]:
    return monitors_look(project=project, reference=reference(**more), at=at)


def answered(
    project: Project, until: datetime, labels: Sequence[str] = ("ham", "spam"), n: int = 200, hours: float = 20
) -> None:
    """`n` answers spread over the hours before `until`, as sure as on the holdout."""
    rng = np.random.default_rng(7)
    step = timedelta(hours=hours) / n
    rows = [
        LoggedPrediction(
            project_id=project.pk,
            inference_id=f"{until.isoformat()}-{i}",
            at=until - i * step,
            model_number=1,
            label=labels[i % len(labels)],
            confidence=float(rng.beta(9, 1)),
            latency_ms=5,
        )
        for i in range(n)
    ]
    predictions_record(rows=rows)


def asked(project: Project, until: datetime, rows: Sequence[dict[str, Any]]) -> None:
    AskedPayload.objects.bulk_create(
        [
            AskedPayload(project=project, inference_id=f"q{i}", at=until - timedelta(minutes=i), row=row)
            for i, row in enumerate(rows)
        ]
    )


def came_back(project: Project, until: datetime, worths: Sequence[float], hours: float = 20) -> None:
    """Labels that came back, the last one for an answer of `until`."""
    step = timedelta(hours=hours) / max(len(worths), 1)
    Feedback.objects.bulk_create(
        [
            Feedback(
                project=project,
                inference_id=f"f-{until.isoformat()}-{i}",
                name="label",
                label="ham",
                predicted="ham",
                at=until,
                received_at=until,
                first_received_at=until,
                answered_at=until - i * step,
                model_number=1,
                worth=worth,
            )
            for i, worth in enumerate(reversed(worths))
        ]
    )


@pytest.fixture
def watched(project: Project, mona: User) -> Callable[..., Project]:
    """Sets a policy: `watched({"type": "class_mix"}, budget=1)`."""

    def setting(*monitors: dict[str, Any], **more: Any) -> Project:
        policy = monitor_policy_of({"monitors": list(monitors), **more})
        policy_set(MONITOR_POLICY, project=project, policy=policy, by=mona, at=SERVES)
        return project

    return setting


def page_of(heat: dict[str, Any], row: int, column: int) -> str:
    """Where a cell of the heat map leads, as the script puts it together."""
    reading, meta = heat["customdata"][row][column], heat["meta"]
    return str(meta["page"].replace("{reading}", str(reading)) + meta["of"][row])
