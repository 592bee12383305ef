"""Examples in the queue, and what a browser sends about them."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.datasets import services as datasets
from apps.datasets.readers import Row
from apps.labeling.models import Annotation, Assignment
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import LEASE, QueueRequest, assignments_next
from apps.labeling.services.frontier import frontier_refill
from apps.projects.models import Project
from tests.conftest import NOON

LATER = NOON + LEASE + timedelta(seconds=1)


@pytest.fixture
def add_examples() -> Callable[..., None]:
    def add(project: Project, count: int, *, first: int = 0) -> None:
        ingestion = datasets.ingestion_open(project=project, source="api", by=None, at=NOON)
        rows = [Row(n, {"id": f"m{n}", "text": f"message {n}"}) for n in range(first, first + count)]
        datasets.examples_ingest(ingestion=ingestion, rows=rows, now=lambda: NOON)
        frontier_refill(project=project, at=NOON, seed=1)

    return add


@pytest.fixture
def lease() -> Callable[..., list[Assignment]]:
    def take(project: Project, by: User, count: int = 1, at: datetime = NOON) -> list[Assignment]:
        return assignments_next(QueueRequest(project=project, by=by, count=count, at=at, seed=1))

    return take


@pytest.fixture
def say() -> Callable[..., Annotation]:
    """Answer an assignment as its holder would."""

    def submit(
        assignment: Assignment, label: str = "ham", *, skip: str = "", at: datetime = NOON, **more: object
    ) -> Annotation:
        answer = Answer(
            client_id=uuid.UUID(str(more.pop("client_id", uuid.uuid4()))),
            assignment_id=assignment.pk,
            token=uuid.UUID(str(more.pop("token", assignment.token))),
            label="" if skip else label,
            skip_reason=skip,
            **more,  # type: ignore[arg-type]
        )
        return annotation_submit(project_id=assignment.project_id, answer=answer, by=assignment.holder, at=at)

    return submit


def at_once(*work: Callable[[], object]) -> list[Exception]:
    """Run each in its own thread from one starting gun; the errors come back."""
    gun, errors = threading.Barrier(len(work)), list[Exception]()

    def run(job: Callable[[], object]) -> None:
        try:
            gun.wait(10)
            job()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return errors
