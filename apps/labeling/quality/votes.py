"""Read the agreement of a project's people from the answers that stand. Reviewers' answers and planted examples count not."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Max

from apps.labeling.models import Annotation
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import Schema, schema_of
from apps.rules.agreement import (
    Coefficient,
    Pair,
    Partner,
    Votes,
    alpha,
    alpha_by,
    alpha_per_label,
    alpha_per_part,
    fleiss,
    pairs_of,
    partners_of,
)
from apps.rules.answers import AnswerKind, Value

MOST = 200_000  # newest shared answers that are read: a quarter of a second
MOST_STRUCTURED = 6_000  # spans and boxes are compared pair by pair in Python
KEPT = 64  # projects whose figures stay in memory until an answer changes
SEED = 7  # of the bootstrap: the same answers give the same interval


@dataclass(frozen=True)
class LabelAgreement:
    """One label against the rest."""

    name: str
    retired: bool
    found: Coefficient


@dataclass(frozen=True)
class Agreed:
    """Everything about agreement. People are user ids; `share` is the mean likeness of two answers to one example."""

    overall: Coefficient
    fleiss: Coefficient | None
    labels: tuple[LabelAgreement, ...]
    pairs: tuple[Pair, ...]
    partners: dict[int, Partner] = field(default_factory=dict)
    share: float | None = None
    answers: int = 0  # to examples that several answered
    structured: bool = False


_SHARED = """
    SELECT example_id, annotator_id, label_id, value::text FROM (
        SELECT DISTINCT ON (n.example_id, n.annotator_id) n.example_id, n.annotator_id, n.label_id, n.value
        FROM labeling_annotation n JOIN labeling_assignment a ON a.id = n.assignment_id
        WHERE n.project_id = %(project)s AND n.withdrawn_at IS NULL AND n.skip_reason = ''
          AND a.lane <> 'review' AND NOT a.planted
        ORDER BY n.example_id DESC, n.annotator_id, n.id DESC) said
    WHERE example_id IN (
        SELECT example_id FROM labeling_annotation
        WHERE project_id = %(project)s AND withdrawn_at IS NULL AND skip_reason = ''
        GROUP BY example_id HAVING count(*) > 1)
    ORDER BY example_id DESC LIMIT %(most)s
"""

_kept: dict[int, tuple[tuple[Any, ...], Agreed]] = {}


def agreed_of(project: Project) -> Agreed:
    """Computed anew once an answer came, was changed or undone; else what this process has in memory."""
    answers = Annotation.objects.filter(project=project)
    schema = schema_of(project)
    newest = answers.aggregate(last=Max("pk"), undone=Max("withdrawn_at"))
    stamp = (newest["last"], newest["undone"], tuple((x.pk, x.retired_at) for x in schema.labels))
    before = _kept.get(project.pk)
    if before is None or before[0] != stamp:
        if len(_kept) >= KEPT:
            _kept.clear()
        before = _kept[project.pk] = (stamp, _agreed(project, schema))
    return before[1]


def _agreed(project: Project, schema: Schema) -> Agreed:
    kind = task_types.get(project.task_type).answer
    structured = kind.name != "choice"
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"project": project.pk, "most": MOST_STRUCTURED if structured else MOST})
        rows = cursor.fetchall()
    if not rows:
        return _nothing(project, schema, structured)
    units, people = (np.unique([row[i] for row in rows], return_inverse=True) for i in (0, 1))
    users = units[0], people[0]
    codes, values = _coded(rows, schema, structured)
    n_codes = len(values) if structured else len(schema.labels)
    votes = Votes.sorted(units[1].astype(np.int64), people[1].astype(np.int64), codes, n_codes).shared()
    if not len(votes.units):
        return _nothing(project, schema, structured)
    if structured:
        return _of_parts(votes, values, users[1], schema, kind)
    return _of_labels(votes, users[1], schema)


def _coded(rows: list[tuple[Any, ...]], schema: Schema, structured: bool) -> tuple[Any, list[Value]]:
    """Codes (v,): the place of the label in the schema, or the place among the different values."""
    if not structured:
        place = {label.pk: i for i, label in enumerate(schema.labels)}
        return np.array([place[row[2]] for row in rows], np.int64), []
    different, codes = np.unique([row[3] for row in rows], return_inverse=True)
    return codes.astype(np.int64), [json.loads(text) for text in different]


def _of_labels(votes: Votes, users: Any, schema: Schema) -> Agreed:
    found = alpha_per_label(votes, seed=SEED)
    return _put(votes, users, schema, alpha(votes, seed=SEED), found, pairs_of(votes), structured=False)


def _of_parts(votes: Votes, values: list[Value], users: Any, schema: Schema, kind: AnswerKind) -> Agreed:
    likeness = _remembered(lambda a, b: kind.similarity(values[a], values[b]))
    has = np.array([[name in kind.labels_in(value) for name in schema.names] for value in values], bool)
    overall = alpha_by(votes, lambda a, b: 1 - likeness(a, b), seed=SEED)
    found = alpha_per_part(votes, has.reshape(len(values), len(schema.names)), seed=SEED)
    return _put(votes, users, schema, overall, found, pairs_of(votes, likeness), structured=True)


def _remembered(likeness: Callable[[int, int], float]) -> Callable[[int, int], float]:
    known: dict[tuple[int, int], float] = {}

    def of(a: int, b: int) -> float:
        pair = (a, b) if a < b else (b, a)
        if pair not in known:
            known[pair] = likeness(*pair)
        return known[pair]

    return of


def _put(
    votes: Votes, users: Any, schema: Schema, overall: Coefficient, labels: list[Coefficient], pairs: list[Pair],
    *, structured: bool,
) -> Agreed:  # fmt: skip
    """With people as user ids instead of places."""
    named = [_renamed(pair, users) for pair in pairs]
    met = sum(pair.examples for pair in pairs)
    return Agreed(
        overall,
        None if structured else fleiss(votes.counts(), people=votes.n_people, seed=SEED),
        _labels(schema, labels),
        tuple(named),
        partners_of(named),
        sum(pair.share * pair.examples for pair in pairs) / met if met else None,
        len(votes.units),
        structured,
    )


def _renamed(pair: Pair, users: Any) -> Pair:
    one, other = int(users[pair.one]), int(users[pair.other])
    return Pair(one, other, pair.examples, pair.share, pair.kappa, pair.low, pair.high, pair.reason)


def _labels(schema: Schema, found: list[Coefficient]) -> tuple[LabelAgreement, ...]:
    """Retired labels only where somebody gave them."""
    labels = zip(schema.labels, found, strict=True)
    return tuple(
        LabelAgreement(label.name, label.retired_at is not None, each)
        for label, each in labels
        if label.retired_at is None or each.value is not None
    )


def _nothing(project: Project, schema: Schema, structured: bool) -> Agreed:
    """Why there is no agreement to speak of."""
    own = Annotation.objects.filter(project=project, withdrawn_at=None, skip_reason="")
    people = own.order_by().values("annotator").distinct().count()
    apart = Votes.of([(i, i, 0) for i in range(people)], 1)
    none = alpha(apart)
    return Agreed(
        none, none if not structured else None, _labels(schema, [none] * len(schema.labels)), (), structured=structured
    )
