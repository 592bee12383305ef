"""A project of real digits with everything labeled, and jobs that run at once where they were sent."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.utils import timezone
from sklearn.datasets import load_digits

from apps.cases.simulation.source import png_of
from apps.integrations import wiring
from apps.labeling.models import QueueSettings
from apps.loop import services as loop
from apps.projects.models import Project
from apps.training.models import RunState
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import HASHED, texts

DIGITS = tuple("0123456789")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> JobsAtOnce:
    found = JobsAtOnce()
    monkeypatch.setattr(wiring, "jobs", found)
    return found


@pytest.fixture
def digits(make_project: Callable[..., Project], noon: datetime, jobs: JobsAtOnce) -> Project:
    """400 digits, 300 of them labeled; a fifth is holdout so that the gates have something to read."""
    project = make_project("image-classification", DIGITS, name="Digits", holdout_share=0.2)
    project.holdout_salt = "the same fifth in every run"
    project.save(update_fields=["holdout_salt"])
    found = load_digits()
    rows = [
        {"id": f"d{i}", "image": png_of(found.images[i]), **({"label": str(found.target[i])} if i < 300 else {})}
        for i in range(400)
    ]
    loop.batch_take(project=project, rows=rows, source="test", by=None, at=noon)
    return project


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on images take some ten steps instead of two hundred, where a test asks nothing of what the model knows."""
    from workers.training.learners import image_choice

    for settings in (image_choice.FULL, image_choice.INCREMENTAL):
        monkeypatch.setitem(settings, "epochs", 2)
        monkeypatch.setitem(settings, "least_steps", 0)


@pytest.fixture
def take(noon: datetime) -> Callable[..., None]:
    def taken(project: Project, rows: list[dict[str, str]]) -> None:
        loop.batch_take(project=project, rows=rows, source="test", by=None, at=noon)

    return taken


@pytest.fixture
def mail(make_project: Callable[..., Project], jobs: JobsAtOnce, take) -> Project:
    """120 texts without a label, in two shards; the encoder that needs no network."""
    project = make_project("text-classification", ("ham", "spam"), name="Mail", holdout_share=0.1)
    QueueSettings.objects.filter(project=project).update(encoder=HASHED)
    project.refresh_from_db()
    take(project, texts(0, 70, labeled=False))
    take(project, texts(70, 50, labeled=False))
    return project


@pytest.fixture
def trained(mail: Project, take) -> Project:
    """With 80 labeled texts more and a model of them."""
    take(mail, texts(1000, 80, labeled=True))
    run = loop.run_start_now(project=mail, kind="full", by=None, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.error
    return mail
