"""The order in which an answer's rows are locked: slots of the queue, then the example, then its assignments.

A lease takes its slot first and then the example's assignments. The other order would deadlock with it: a late answer
holds its assignment and waits for the slot, while whoever takes the slot waits for the assignment to expire it.
"""

import uuid
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling.models import Assignment, AssignmentState, FrontierItem
from apps.projects.models import Project
from apps.statements import rows

# It only locks: what the next statement reads is then as fresh as the locks. Each part counts the one before it, without
# which PostgreSQL would take them in an order of its own, or not at all.
_LOCK = """
    WITH wanted AS MATERIALIZED (
        SELECT COALESCE(%(example)s::bigint, (SELECT example_id FROM labeling_assignment WHERE id = %(assignment)s)) AS id
    ), slots AS MATERIALIZED (
        SELECT id FROM labeling_frontieritem WHERE example_id = (SELECT id FROM wanted) ORDER BY id FOR UPDATE
    ), example AS MATERIALIZED (
        SELECT id FROM datasets_example WHERE id = (SELECT id FROM wanted) AND (SELECT count(*) FROM slots) >= 0
        FOR NO KEY UPDATE
    ), assignments AS MATERIALIZED (
        SELECT id FROM labeling_assignment
        WHERE example_id = (SELECT id FROM wanted) AND (SELECT count(*) FROM example) >= 0
        ORDER BY id FOR NO KEY UPDATE
    )
    SELECT id, (SELECT count(*) FROM assignments) FROM wanted
"""


def examples_lock(ids: Iterable[int]) -> None:
    """Lock the examples with all that hangs on them, until the transaction ends. One after the other, in key order."""
    for pk in sorted(set(ids)):
        rows(_LOCK, {"example": pk, "assignment": None})


def example_lock_of(assignment_id: int) -> int | None:
    """As `examples_lock` for the example of this assignment; its id, or None where there is no such assignment."""
    ((found, _count),) = rows(_LOCK, {"example": None, "assignment": assignment_id})
    return None if found is None else int(found)


def examples_locked(project: Project, ids: Sequence[int]) -> dict[int, Example]:
    """Those of the project's examples, in the order asked for, without their payload."""
    examples_lock(ids)
    found = Example.objects.filter(project=project).defer("fields").in_bulk(list(ids))
    return {pk: found[pk] for pk in dict.fromkeys(ids) if pk in found}


def leases_locked(by: User, leases: Sequence[tuple[int, uuid.UUID]]) -> list[Assignment]:
    """Those of the leases that still are this person’s, behind their slots. No example: nothing is answered."""
    tokens = dict(leases)
    held = Assignment.objects.filter(pk__in=tokens, holder=by, state=AssignmentState.LEASED)
    same = held.filter(example=OuterRef("example"), slot=OuterRef("slot"))
    slots = FrontierItem.objects.filter(Exists(same), example__in=held.values("example"))
    list(slots.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    return [a for a in held.select_for_update(no_key=True).order_by("pk") if a.token == tokens[a.pk]]
