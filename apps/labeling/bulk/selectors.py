"""The lines of both pages: what an example shows, what it is, and who said so."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import NotFound
from apps.labeling.bulk.neighbors import neighbors_of, not_to_ask
from apps.labeling.bulk.search import Hits, SearchQuery, hits_of
from apps.labeling.models import Annotation, Label, Lane, SkipReason
from apps.labeling.services.bulk import last_batch
from apps.labeling.values import value_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadKind

SIZES = (10, 25, 50, 100)
LANES = Lane.choices


@dataclass(frozen=True)
class SearchHit:
    """One example as a row. `label` and `answers` stay empty where the person may not see them."""

    pk: int
    external_id: str
    payload: PayloadKind
    text: str
    pairs: tuple[tuple[str, Any], ...]
    similarity: float | None
    label: str = ""
    holdout: bool = False
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alike:
    """The page of similar examples."""

    like: SearchHit
    lines: tuple[SearchHit, ...]
    known: bool  # whether the example has a vector
    possible: bool  # whether answers of this kind can be given in bulk
    batch: uuid.UUID | None  # the person's last batch, which may be undone


def alike(project: Project, example_id: int, *, count: int, by: User, sees_all: bool) -> Alike:
    """An example and those that still want an answer and are most like it. Raises NotFound."""
    example = Example.objects.filter(project=project, pk=example_id).first()
    asked_not = not_to_ask(project, by)
    if example is None or (not sees_all and _hidden(example, project, by)):
        raise NotFound(gettext("There is no such example in this project."))
    found = neighbors_of(project, example_id, count=count, without=asked_not, holdout=False)
    lines = lines_of(project, found.ids, by=by, sees_all=sees_all, similarities=found.similarities)
    (like,) = lines_of(project, [example_id], by=by, sees_all=sees_all)
    open_itself = not example.holdout and not bool(np.isin(example_id, asked_not))
    possible = task_types.get(project.task_type).answer.in_bulk
    shown = ([like] if open_itself else []) + lines
    return Alike(like, tuple(shown[:count]), found.known, possible, last_batch(project=project, by=by))


def _hidden(example: Example, project: Project, by: User) -> bool:
    """Whoever may not see the data sees an example of the holdout only when the desk shows it."""
    own = Annotation.objects.filter(example=example, annotator=by, withdrawn_at=None)
    return example.holdout and not own.exists()


def searched(project: Project, asked: SearchQuery, *, by: User, sees_all: bool) -> tuple[Hits, list[SearchHit]]:
    hits = hits_of(project, asked, by=by, sees_all=sees_all)
    return hits, lines_of(project, hits.ids, by=by, sees_all=sees_all, similarities=hits.similarities)


def lines_of(
    project: Project, ids: Sequence[int], *, by: User, sees_all: bool, similarities: Sequence[float] = ()
) -> list[SearchHit]:
    """In the order of the ids. Four statements however many there are."""
    examples = Example.objects.filter(project=project).in_bulk(ids)
    labels = {x.pk: x for x in Label.objects.filter(pk__in=ids).select_related("label")} if sees_all else {}
    said = _said(project, ids, by, sees_all)
    alike_by = dict(zip(ids, similarities, strict=False))
    task = task_types.get(project.task_type)
    return [
        _line(project, task, examples[pk], labels.get(pk), said.get(pk, ()), alike_by.get(pk))
        for pk in ids
        if pk in examples
    ]


def _line(
    project: Project,
    task: task_types.TaskType,
    example: Example,
    label: Label | None,
    said: Sequence[str],
    similarity: float | None,
) -> SearchHit:
    fields: Mapping[str, Any] = example.fields
    value = value_of(label) if label else None
    return SearchHit(
        example.pk,
        example.external_id,
        task.payload,
        str(fields.get("text", "")),
        task.payload.pairs(fields),
        similarity,
        task.answer.words(value) if value else "",
        example.holdout,
        tuple(said),
    )


def _said(project: Project, ids: Sequence[int], by: User, sees_all: bool) -> dict[int, list[str]]:
    """“Ada: ham”, oldest first; of others only for whoever sees the data."""
    rows = Annotation.objects.filter(example_id__in=ids, withdrawn_at=None).select_related("annotator", "label")
    found: dict[int, list[str]] = defaultdict(list)
    kind, reasons = task_types.get(project.task_type).answer, dict(SkipReason.choices)
    for a in (rows if sees_all else rows.filter(annotator=by)).order_by("pk"):
        value = value_of(a)
        found[a.example_id].append(f"{a.annotator}: {kind.words(value) if value else reasons[a.skip_reason]}")
    return found


def answered_by(project: Project) -> list[tuple[str, str]]:
    """Members, for the filter: user name and how they are called."""
    people = project.memberships.select_related("user").order_by("user__username")
    return [(m.user.username, str(m.user)) for m in people]
