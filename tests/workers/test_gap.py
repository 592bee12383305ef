"""A full run against the incremental line, measured on real digits."""

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import FreshnessGap
from apps.loop import services as loop
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.training.models import Run, RunState
from tests.digits import batch

pytestmark = pytest.mark.django_db(transaction=True)


def run(project: Project, kind: str) -> Run:
    found = loop.run_start_now(project=project, kind=kind, by=None, at=timezone.now())
    found.refresh_from_db()
    assert found.state == RunState.COMPLETED, found.error
    return found


@pytest.mark.usefixtures("brief")
def test_a_full_run_is_held_against_the_incremental_line_and_an_incremental_one_is_not(
    digits: Project, lin: User
) -> None:
    first = run(digits, "full")
    assert not FreshnessGap.objects.exists()  # there is no incremental line yet
    model_promote(
        version=ModelVersion.objects.get(run=first), reason="the first model, to start from", by=lin, at=timezone.now()
    )
    loop.batch_take(project=digits, rows=batch(60, first=400), source="test", by=None, at=timezone.now())
    line = run(digits, "incremental")
    assert line.kind == "incremental" and not FreshnessGap.objects.exists()
    full = run(digits, "full")
    gap = FreshnessGap.objects.get()
    assert (gap.full_run_id, gap.incremental_run_id, gap.increments) == (full.pk, line.pk, 1)
    assert full.dataset_version is not None and gap.holdout_rows == full.dataset_version.holdout_rows
    mine, theirs = (r.report.metrics["accuracy"]["value"] for r in (full, line))
    assert abs(gap.points) <= 100 and gap.low <= gap.points <= gap.high
    if line.dataset_version_id == full.dataset_version_id:
        assert gap.points == pytest.approx(100 * (mine - theirs), abs=1e-6)
    assert gap.full_s > 0 and gap.incremental_s > 0
