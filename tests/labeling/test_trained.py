"""Which labels a run has seen."""

from datetime import timedelta

import pytest

from apps.labeling.models import Label
from apps.labeling.services.labels import labels_trained
from apps.projects.models import Project
from tests.conftest import NOON
from tests.rows import labeled

pytestmark = pytest.mark.django_db


def test_a_label_that_changed_while_the_run_trained_waits_for_the_next_run(project: Project) -> None:
    first, second, third = (e.pk for e in labeled(project, 3, held=0))
    seen = [(pk, NOON) for pk in (first, second)]
    Label.objects.filter(example_id=second).update(resolved_at=NOON + timedelta(microseconds=1))
    assert labels_trained(project_id=project.pk, seen=seen, run_number=7) == 1
    assert labels_trained(project_id=project.pk, seen=seen, run_number=8) == 0
    found = dict(Label.objects.values_list("example_id", "first_run_number"))
    assert found == {first: 7, second: None, third: None}
