"""Whatever hangs on an example is locked, however little that is."""

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from apps.labeling import locks
from apps.labeling.models import Assignment, FrontierItem
from tests.labeling.conftest import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _busy(sql: str, example_id: int) -> bool:
    """Whether another connection would have to wait for these rows."""

    def look() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"{sql} FOR UPDATE NOWAIT", [example_id])

    errors = at_once(look)
    assert all(isinstance(e, OperationalError) for e in errors), errors
    return bool(errors)


EXAMPLE = "SELECT 1 FROM datasets_example WHERE id = %s"
SLOTS = "SELECT 1 FROM labeling_frontieritem WHERE example_id = %s"
ASSIGNMENTS = "SELECT 1 FROM labeling_assignment WHERE example_id = %s"


def test_an_example_that_nobody_was_asked_about_is_locked(project, add_examples):
    add_examples(project, 1)
    pk = project.examples.get().pk
    FrontierItem.objects.all().delete()
    with transaction.atomic():
        locks.examples_lock([pk])
        assert _busy(EXAMPLE, pk)
    assert not _busy(EXAMPLE, pk)


def test_its_slots_and_its_assignments_are_locked_with_it(project, add_examples, lease, ada):
    add_examples(project, 1)
    (held,) = lease(project, ada)
    with transaction.atomic():
        assert locks.example_lock_of(held.pk) == held.example_id
        assert [_busy(sql, held.example_id) for sql in (SLOTS, EXAMPLE, ASSIGNMENTS)] == [True, True, True]
    with transaction.atomic():
        locks.examples_lock([held.example_id])
        assert [_busy(sql, held.example_id) for sql in (SLOTS, EXAMPLE, ASSIGNMENTS)] == [True, True, True]


def test_an_assignment_that_was_never_made_locks_nothing(project):
    with transaction.atomic():
        assert locks.example_lock_of(Assignment.objects.count() + 1) is None
