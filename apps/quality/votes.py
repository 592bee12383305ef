"""Read the agreement of a project's people from the answers that stand. Reviewers' answers and planted examples count not."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Max

from apps.labeling.models import Annotation
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import LabelSchema, schema_of
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
CHEAP_S, STANDS_TIMES = 0.2, 20  # seconds that nobody minds; how many times its cost a figure may be old
SEED = 7  # of the bootstrap: the same answers give the same interval


@dataclass(frozen=True)
class LabelAgreement:
    """One label against the rest."""

    name: str
    retired: bool
    coefficient: Coefficient


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


# One pass with a window: a join of the answers with themselves is a matter of luck while the table has no statistics yet.
_SHARED = """
    SELECT example_id, annotator_id, label_id, value::text FROM (
        SELECT n.id, n.example_id, n.annotator_id, n.label_id, n.value,
               count(*) OVER (PARTITION BY n.example_id) AS times
        FROM labeling_annotation n JOIN labeling_assignment a ON a.id = n.assignment_id
        WHERE n.project_id = %(project)s AND n.withdrawn_at IS NULL AND n.skip_reason = ''
          AND a.lane <> 'review' AND NOT a.planted) said
    WHERE times > 1 ORDER BY example_id DESC, id DESC LIMIT %(most)s
"""


@dataclass(frozen=True)
class CountedVote:
    """What was computed for which answers, and until when it stands although new ones came."""

    stamp: tuple[Any, ...]
    agreed: Agreed
    until: float


_kept: dict[int, CountedVote] = {}


def agreed_of(project: Project) -> Agreed:
    """Computed anew once an answer came, was changed or undone; else what this process has in memory.

    Fifty people answer twice a second: what took long to compute stands for twenty times as long.
    """
    answers = Annotation.objects.filter(project=project)
    schema = schema_of(project)
    newest = answers.aggregate(last=Max("pk"), undone=Max("withdrawn_at"))
    stamp = (newest["last"], newest["undone"], tuple((x.pk, x.retired_at) for x in schema.labels))
    before, began = _kept.get(project.pk), time.monotonic()
    if before is not None and (before.stamp == stamp or began < before.until):
        return before.agreed
    if len(_kept) >= KEPT:
        _kept.clear()
    found = _agreed(project, schema)
    took = time.monotonic() - began
    _kept[project.pk] = CountedVote(stamp, found, began + (STANDS_TIMES * took if took > CHEAP_S else 0))
    return found


def _agreed(project: Project, schema: LabelSchema) -> Agreed:
    kind = task_types.get(project.task_type).answer
    structured = kind.structured
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"project": project.pk, "most": MOST_STRUCTURED if structured else MOST})
        rows = cursor.fetchall()
    if not rows:
        return _nothing(project, schema, structured)
    _, units = np.unique(np.array([row[0] for row in rows]), return_inverse=True)
    users, people = np.unique(np.array([row[1] for row in rows]), return_inverse=True)
    codes, values = _coded(rows, schema, structured)
    _, newest = np.unique(units * len(users) + people, return_index=True)  # a late answer and one after it: the newer
    n_codes = len(values) if structured else len(schema.labels)
    votes = Votes.sorted(units[newest], people[newest], codes[newest], n_codes).shared()
    if not len(votes.units):
        return _nothing(project, schema, structured)
    return _of_parts(votes, values, users, schema, kind) if structured else _of_labels(votes, users, schema)


def _coded(rows: list[tuple[Any, ...]], schema: LabelSchema, structured: bool) -> tuple[Any, list[Value]]:
    """Codes (v,): the place of the label in the schema, or the place among the different values."""
    if not structured:
        place = {label.pk: i for i, label in enumerate(schema.labels)}
        return np.array([place[row[2]] for row in rows], np.int64), []
    different, codes = np.unique([row[3] for row in rows], return_inverse=True)
    return codes.astype(np.int64), [json.loads(text) for text in different]


def _of_labels(votes: Votes, users: Any, schema: LabelSchema) -> Agreed:
    found = alpha_per_label(votes, seed=SEED)
    return _put(votes, users, schema, alpha(votes, seed=SEED), found, pairs_of(votes), structured=False)


def _of_parts(votes: Votes, values: list[Value], users: Any, schema: LabelSchema, kind: AnswerKind) -> Agreed:
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
    votes: Votes,
    users: Any,
    schema: LabelSchema,
    overall: Coefficient,
    labels: list[Coefficient],
    pairs: list[Pair],
    *,
    structured: bool,
) -> Agreed:
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


def _labels(schema: LabelSchema, found: list[Coefficient]) -> tuple[LabelAgreement, ...]:
    """Retired labels only where somebody gave them."""
    labels = zip(schema.labels, found, strict=True)
    return tuple(
        LabelAgreement(label.name, label.retired_at is not None, each)
        for label, each in labels
        if label.retired_at is None or each.value is not None
    )


def _nothing(project: Project, schema: LabelSchema, structured: bool) -> Agreed:
    """Why there is no agreement to speak of."""
    own = Annotation.objects.filter(project=project, withdrawn_at=None, skip_reason="")
    people = own.order_by().values("annotator").distinct().count()
    apart = Votes.of([(i, i, 0) for i in range(people)], 1)
    none = alpha(apart)
    return Agreed(
        none, none if not structured else None, _labels(schema, [none] * len(schema.labels)), (), structured=structured
    )
