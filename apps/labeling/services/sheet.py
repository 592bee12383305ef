"""Everything that one example is settled by, in two statements: it is read at every answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from apps.datasets.models import Example
from apps.labeling.models import Label
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.statements import rows


@dataclass(frozen=True)
class Cast:
    """One vote: neither a skip, nor on gold, nor withdrawn."""

    value: Value
    label_id: int | None
    lane: str
    shown_at: datetime


@dataclass(frozen=True)
class Sheet:
    """The locked example, its label, its votes oldest first, and what else there is to look at."""

    example: Example
    project: Project
    copied: bool  # other examples show the same
    audited: bool  # the model has labeled it by itself
    waiting: bool  # somebody is still asked
    reviewed: bool  # a review is open
    doubted: bool  # a suspect is open
    have: Label | None
    votes: tuple[Cast, ...]


_LOCKED = """
    SELECT e.project_id, e.external_id, e.holdout, e.content_digest,
           e.content_digest <> '' AND EXISTS (SELECT 1 FROM datasets_example c WHERE c.project_id = e.project_id
               AND c.content_digest = e.content_digest AND c.id <> e.id),
           EXISTS (SELECT 1 FROM labeling_autolabel m WHERE m.example_id = e.id),
           EXISTS (SELECT 1 FROM labeling_frontieritem f WHERE f.example_id = e.id),
           EXISTS (SELECT 1 FROM labeling_review r WHERE r.example_id = e.id AND r.state = 'open'),
           EXISTS (SELECT 1 FROM labeling_suspect s WHERE s.example_id = e.id AND s.state = 'open'),
           EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id)
    FROM datasets_example e WHERE e.id = %s FOR NO KEY UPDATE OF e
"""

_VOTES = """
    SELECT n.label_id, s.name, n.value, n.shown_at, a.lane
    FROM labeling_annotation n
    JOIN labeling_assignment a ON a.id = n.assignment_id
    LEFT JOIN projects_schemalabel s ON s.id = n.label_id
    WHERE n.example_id = %s AND n.withdrawn_at IS NULL AND n.skip_reason = '' AND a.lane <> 'gold'
    ORDER BY n.answered_at, n.id
"""


def sheet_locked(example_id: int, project: Project | None) -> Sheet:
    """Lock the example until the transaction ends, then read. Its label may still change by a copy's, under their lock."""
    ((project_id, external_id, holdout, digest, *flags, labeled),) = rows(_LOCKED, [example_id])
    votes = tuple(_cast(row) for row in rows(_VOTES, [example_id]))
    example = Example(
        pk=example_id, project_id=project_id, external_id=external_id, holdout=holdout, content_digest=digest
    )
    example.project = project or Project.objects.get(pk=project_id)
    copied, audited, waiting, reviewed, doubted = flags
    return Sheet(
        example,
        example.project,
        copied,
        audited,
        waiting,
        reviewed,
        doubted,
        label_of(example_id) if labeled else None,
        votes,
    )


def label_of(example_id: int) -> Label | None:
    return Label.objects.filter(pk=example_id).select_related("label").first()


def _cast(row: tuple[Any, ...]) -> Cast:
    label_id, name, value, shown_at, lane = row
    return Cast(orjson.loads(value) if value is not None else {"label": name}, label_id, lane, shown_at)
