"""A console with one of everything, asked over the API by whoever runs it; and its schema."""

from collections.abc import Callable

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets import services as datasets
from apps.datasets.readers import Row
from apps.datasets.versions import version_write
from apps.evaluation.models import Outcome
from apps.integrations import wiring
from apps.labeling.services.frontier import frontier_refill
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.models import ReleaseRequest, Rollout
from apps.releases.registry.approving import release_ask
from apps.releases.registry.rules import release_rules_set
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.services import release_start
from apps.releases.services import model_promote
from apps.rules.rollouts.policy import policy_of
from tests import rows
from tests.architecture.test_roles import Things, things
from tests.conftest import NOON
from tests.datasets.test_versions import row
from tests.releases.files import bundle_of, with_file
from tests.schema.calls import Asked
from tests.schema.documents import Schema


@pytest.fixture(scope="session")
def schema(django_db_setup: None) -> Schema:
    return Schema(Client().get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json").json())


@pytest.fixture
def full(
    make_project: Callable[..., Project],
    project: Project,
    lin: User,
    ada: User,
    alma: User,
    mallory: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Things:
    monkeypatch.setattr(wiring, "jobs", rows.Sent([]))
    monkeypatch.setattr(settings, "PREDICTOR_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(settings, "EMAIL_HOST", "mail.example.com")  # nobody sends: the queue of jobs only remembers
    User.objects.filter(pk=alma.pk).update(is_superuser=True)
    made = things(project, lin, ada)
    rows.labeled(project, 120)
    served = with_file(rows.model(project), bundle_of("text-classification", np.zeros((2, 384), np.float32)))
    made.ids["version_id"] = served.pk
    made.ids["next_version_id"] = rows.model(project).pk
    made.ids["doubted_run_id"] = rows.model(project, Outcome.INCONCLUSIVE).run_id
    made.ids["waiting_rollout_id"] = under_way(make_project, lin).pk
    made.ids["waiting_request_id"] = asked_for(make_project, lin).pk
    for label in ("ham", "spam"):
        made.ids["dataset_version"] = version_write(project_id=project.pk, rows=[row(1, label)], at=NOON).number
    ingestion = datasets.ingestion_open(project=project, source="api", by=lin, at=NOON)
    waiting = [Row(n, {"id": f"m{n}", "text": f"message {n}"}) for n in range(12)]
    datasets.examples_ingest(ingestion=ingestion, rows=waiting, now=lambda: NOON)
    frontier_refill(project=project, at=NOON, seed=1)
    predictions_record(rows=[LoggedPrediction(project.pk, f"q{i}", NOON, 1, "ham", 0.9, 3.0) for i in range(3)])
    made.people = {"admin": alma}
    return made


def under_way(make_project: Callable[..., Project], by: User) -> Rollout:
    """Of a project of its own, since a project has one at a time."""
    project = make_project(name="Second letters")
    rows.labeled(project)
    model_promote(version=rows.model(project), reason="", by=by, at=NOON)
    policy = policy_of({"steps": [{"setWeight": 10}, {"pause": {}}, {"setWeight": 100}]})
    policy_set(RELEASE_POLICY, project=project, policy=policy, by=by, at=NOON)
    return release_start(version=rows.model(project), reason="", by=by, at=NOON)


def asked_for(make_project: Callable[..., Project], by: User) -> ReleaseRequest:
    """In a project whose releases need a second person."""
    project = make_project(name="Third letters")
    rows.labeled(project)
    release_rules_set(project=project, approval="second-person", alias_roles={}, by=by, at=NOON)
    made = release_ask(version=rows.model(project), reason="", by=by, at=timezone.now())
    assert isinstance(made, ReleaseRequest)
    return made


@pytest.fixture
def asked(full: Things, alma: User) -> Asked:
    return Asked(full, alma)
