"""The monitor of texts by the encoder of a real champion: from kept requests to the reading."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.loop.services.references import reference_of
from apps.monitoring.models import AskedPayload, ReadingOutcome, VectorsFault, WindowVectors
from apps.monitoring.monitors.looking import monitors_look
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.rules.monitors import monitor_policy_of
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import HASHED, texts
from workers.tasks.window_vectors import window_vectors

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def test_the_champions_encoder_tells_a_window_that_moved_from_one_that_did_not(
    trained: Project, lin: User, jobs: JobsAtOnce
) -> None:
    version = ModelVersion.objects.get(project=trained)
    begins = timezone.now().replace(minute=0, second=0, microsecond=0) + HOUR
    model_promote(
        version=version, by=lin, reason="The first one, so there is nothing to compare it with.", at=begins - HOUR
    )
    policy = monitor_policy_of({"monitors": [{"type": "embedding-drift", "window": "1h"}]})
    policy_set(MONITOR_POLICY, project=trained, policy=policy, by=lin, at=begins)
    strange = [{"text": f"quarterly invoice overdue ledger remittance {i}"} for i in range(70)]
    for until, rows in ((begins + HOUR, texts(5000, 70, labeled=False)), (begins + 2 * HOUR, strange)):
        AskedPayload.objects.bulk_create(
            [
                AskedPayload(
                    project=trained,
                    inference_id=f"{until:%H}-{i}",
                    at=until - timedelta(minutes=1),
                    row={"text": row["text"]},
                )
                for i, row in enumerate(rows)
            ]
        )
    reference = reference_of(version)
    assert reference.encoded is not None and reference.encoded.encoder == HASHED
    assert reference.encoded.learned().shape[1] == 256, "stored vectors"
    at = begins + 2 * HOUR
    first = monitors_look(project=trained, reference=reference, at=at)  # the job runs where it was sent
    second = monitors_look(project=trained, reference=reference, at=at)
    third = monitors_look(project=trained, reference=reference, at=at)
    told = [(each.until, each.outcome) for each in (*first, *second, *third) if each.until > begins]
    assert told == [(begins + HOUR, ReadingOutcome.FINE), (begins + 2 * HOUR, ReadingOutcome.RAISED)]
    assert sorted(WindowVectors.objects.values_list("n", "dim")) == [(70, 256), (70, 256)]


def test_an_encoder_that_is_gone_is_a_fault_and_requests_that_are_no_texts_are_one(mail: Project) -> None:
    now = timezone.now()
    AskedPayload.objects.create(project=mail, inference_id="q", at=now, row={"other": 1})
    said = {}
    for name in (HASHED, "gone"):
        row = WindowVectors.objects.create(
            project=mail, encoder=name, since=now - HOUR, until=now + HOUR, wanted_at=now
        )
        window_vectors(row.pk)
        window_vectors(row.pk + 99)  # one that is forgotten by now
        said[name] = WindowVectors.objects.get(pk=row.pk).fault
    assert said == {HASHED: VectorsFault.UNREAD, "gone": VectorsFault.MISSING}
