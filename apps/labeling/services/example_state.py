"""One example under lock, and everything that it is settled by: two statements at every answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.datasets.models import Example
from apps.labeling.locks import example_lock_of, examples_lock
from apps.labeling.models import Assignment, Label, Lane
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.statements import rows

_EXAMPLE = ["id", "project_id", "external_id", "holdout", "content_digest"]  # both in the order of the model's fields
_ASSIGNMENT = ["id", "project_id", "example_id", "slot", "holder_id", "state", "token", "leased_at", "lane"]

# A row for each assignment and the answer that stands on it, oldest answer first; one row where nobody was asked yet.
_STATE = f"""
    SELECT e.content_digest <> '' AND EXISTS (SELECT 1 FROM datasets_example c WHERE c.project_id = e.project_id
               AND c.content_digest = e.content_digest AND c.id <> e.id),
           EXISTS (SELECT 1 FROM labeling_autolabel m WHERE m.example_id = e.id),
           EXISTS (SELECT 1 FROM labeling_review r WHERE r.example_id = e.id AND r.state = 'open'),
           EXISTS (SELECT 1 FROM labeling_suspect d WHERE d.example_id = e.id AND d.state = 'open'),
           EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id),
           ARRAY(SELECT f.slot FROM labeling_frontieritem f WHERE f.example_id = e.id),
           CASE WHEN a.id = %(assignment)s THEN (
               SELECT json_object_agg(o.name, o.id ORDER BY o.position) FROM projects_schemalabel o
               WHERE o.project_id = e.project_id AND (o.retired_at IS NULL OR o.retired_at > a.leased_at)) END,
           n.id, n.label_id, s.name, n.value, n.shown_at, n.skip_reason,
           {", ".join(f"e.{name}" for name in _EXAMPLE)}, {", ".join(f"a.{name}" for name in _ASSIGNMENT)}
    FROM datasets_example e
    LEFT JOIN labeling_assignment a ON a.example_id = e.id
    LEFT JOIN labeling_annotation n ON n.assignment_id = a.id AND n.withdrawn_at IS NULL
    LEFT JOIN projects_schemalabel s ON s.id = n.label_id
    WHERE e.id = %(example)s ORDER BY n.answered_at, n.id, a.id
"""


@dataclass(frozen=True)
class Vote:
    """One answer that counts: neither a skip, nor on gold, nor withdrawn."""

    value: Value
    label_id: int | None
    lane: str
    shown_at: datetime


@dataclass(frozen=True)
class ExampleState:
    """The locked example, its label, its votes oldest first, who was asked, and what else there is to look at."""

    example: Example
    project: Project
    copied: bool  # other examples show the same
    audited: bool  # the model has labeled it by itself
    reviewed: bool  # a review is open
    doubted: bool  # a suspect is open
    have: Label | None
    waiting: frozenset[int]  # slots that somebody is still asked for
    offered: dict[str, int]  # labels that the assignment asked about may be given, by name; see `example_state_of`
    assignments: tuple[Assignment, ...]  # in key order
    answered: frozenset[int]  # those of them with an answer that stands
    votes: tuple[Vote, ...]


def example_state(example_id: int, project: Project | None = None) -> ExampleState:
    """Lock the example until the transaction ends, then read. Its label may still change by a copy's, under their lock."""
    examples_lock([example_id])
    return _read(example_id, project, assignment_id=0)


def example_state_of(assignment_id: int, project: Project) -> ExampleState | None:
    """The same for the example of an assignment, None where there is none.

    Offered are the labels in use, and those retired only after the example was shown: an answer on its way counts.
    """
    example_id = example_lock_of(assignment_id)
    return _read(example_id, project, assignment_id=assignment_id) if example_id else None


def label_of(example_id: int) -> Label | None:
    return Label.objects.filter(pk=example_id).select_related("label").first()


def _read(example_id: int, project: Project | None, *, assignment_id: int) -> ExampleState:
    found = rows(_STATE, {"example": example_id, "assignment": assignment_id})
    copied, audited, reviewed, doubted, labeled, waiting = found[0][:6]
    example = Example.from_db("default", _EXAMPLE, found[0][13:18])
    example.project = project or Project.objects.get(pk=example.project_id)
    assignments = {row[18]: Assignment.from_db("default", _ASSIGNMENT, row[18:]) for row in found if row[18]}
    return ExampleState(
        example,
        example.project,
        copied,
        audited,
        reviewed,
        doubted,
        have=label_of(example_id) if labeled else None,
        waiting=frozenset(waiting),
        offered=next((row[6] for row in found if row[6]), {}),
        assignments=tuple(assignments[pk] for pk in sorted(assignments)),
        answered=frozenset(row[18] for row in found if row[7]),
        votes=tuple(_vote(row) for row in found if row[7] and not row[12] and row[-1] != Lane.GOLD),
    )


def _vote(row: tuple[Any, ...]) -> Vote:
    label_id, name, value, shown_at = row[8:12]
    return Vote(value if value is not None else {"label": name}, label_id, row[-1], shown_at)
