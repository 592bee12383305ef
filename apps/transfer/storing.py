"""Write imported labels, known answers, guesses and answers by the thousand. Each returns the rows that said something new."""

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from apps.datasets.batches import Kept
from apps.datasets.copying import ids_reserved, rows_copy
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    AutoLabel,
    FrontierItem,
    GoldItem,
    ImportedPrediction,
    Label,
    LabelSource,
    Lane,
    Review,
    ReviewState,
    SetAside,
    Suspect,
    SuspectState,
)
from apps.labeling.services.annotations import SKIPS_TO_SET_ASIDE
from apps.labeling.services.labels import label_resolve, labels_share
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.rules.settling import settle
from apps.transfer.rows import Answered, Guess, compact

Columns = Callable[[Value | None], tuple[int | None, Value | None]]  # a value as (label_id, value)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a member, and the example that it is about."""

    of: Kept
    person_id: int
    said: Answered
    ingestion_id: int | None


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _known(kept: Iterable[Kept]) -> list[int]:
    return list({k.example_id for k in kept if not k.fresh})


def labels_keep(
    project: Project,
    given: Sequence[tuple[Kept, Value]],
    columns: Columns,
    *,
    at: datetime,
    source: str = LabelSource.IMPORTED,
) -> set[int]:
    """Label what has no label yet; its slots leave the queue. A label that is there already stands."""
    known = _known(k for k, _ in given)
    taken = set(Label.objects.filter(pk__in=known).values_list("pk", flat=True)) if known else set()
    first: dict[int, tuple[Kept, Value]] = {}
    for k, value in given:
        if k.example_id not in taken:
            first.setdefault(k.example_id, (k, value))
    if not first:
        return set()
    names = ("project_id", "example_id", "label_id", "value", "source", "holdout", "lane", "shown_at", "resolved_at")
    rows_copy(Label, names, (_label_row(project, k, columns(v), source, at) for k, v in first.values()))
    _asked_no_more(project, [k for k, _ in first.values()], at)
    return {k.row_number for k, _ in first.values()}


def _label_row(
    project: Project, k: Kept, column: tuple[int | None, Value | None], source: str, at: datetime, lane: str = ""
) -> tuple[Any, ...]:
    label_id, value = column
    return (project.pk, k.example_id, label_id, _json(value), source, k.holdout, lane, at, at)


def _asked_no_more(project: Project, labeled: Sequence[Kept], at: datetime) -> None:
    """Of examples that were there before: their slots go, and their copies get the label too. New ones have neither."""
    known = [k for k in labeled if not k.fresh]
    if known:
        FrontierItem.objects.filter(example_id__in=[k.example_id for k in known]).delete()
        labels_share(project=project, digests=[k.digest for k in known], at=at)


def gold_keep(project: Project, given: Sequence[tuple[Kept, Value]], columns: Columns, *, at: datetime) -> set[int]:
    """Answers known beforehand, and the labels that they are. One that is there already stands."""
    there = set(GoldItem.objects.filter(pk__in=_known(k for k, _ in given)).values_list("pk", flat=True))
    first: dict[int, tuple[Kept, Value]] = {}
    for k, value in given:
        if k.example_id not in there:
            first.setdefault(k.example_id, (k, value))
    made = []
    for k, value in first.values():
        label_id, kept = columns(value)
        made.append(
            GoldItem(
                example_id=k.example_id,
                project=project,
                label_id=label_id,
                value=kept,
                explanation=k.said.gold_explanation,
                at=at,
            )
        )
    GoldItem.objects.bulk_create(made)
    Label.objects.filter(pk__in=_known(k for k, _ in first.values())).delete()
    labels_keep(project, list(first.values()), columns, at=at, source=LabelSource.GOLD)
    return {k.row_number for k, _ in first.values()}


def predictions_keep(
    project: Project, given: Sequence[tuple[Kept, Guess]], columns: Columns, *, at: datetime
) -> set[int]:
    """One guess a model and example; the first stands."""
    known = _known(k for k, _ in given)
    pairs = ImportedPrediction.objects.filter(example_id__in=known).values_list("example_id", "model_version")
    seen, fresh = set(pairs) if known else set(), list[tuple[Kept, Guess]]()
    for k, g in given:
        if (k.example_id, g.model) not in seen:
            seen.add((k.example_id, g.model))
            fresh.append((k, g))
    if not fresh:
        return set()
    names = ("project_id", "example_id", "model_version", "label_id", "value", "confidence", "at")
    rows = []
    for k, g in fresh:
        label_id, value = columns(g.value)
        rows.append((project.pk, k.example_id, g.model, label_id, _json(value), g.confidence, g.at or at))
    rows_copy(ImportedPrediction, names, rows)
    return {k.row_number for k, _ in fresh}


def answers_keep(project: Project, given: Sequence[Answer], columns: Columns, *, at: datetime) -> set[int]:
    """Each as an answered assignment of its own slot and its annotation; then the labels that follow from them.

    Whoever has answered an example, or holds it, is not given a second answer to it.
    """
    if not given:
        return set()
    fresh = _not_there(given)
    if not fresh:
        return set()
    slots = _next_slots(_known(x.of for x in fresh))
    assignment_ids = ids_reserved(Assignment, len(fresh))
    placed = []
    for x, pk in zip(fresh, assignment_ids, strict=True):
        slots[x.of.example_id] += 1
        placed.append((x, pk, slots[x.of.example_id]))
    rows_copy(Assignment, _ASSIGNMENT, (_assignment(project, x, pk, slot, columns, at) for x, pk, slot in placed))
    rows_copy(Annotation, _ANNOTATION, (_annotation(project, x, pk, columns, at) for x, pk, _ in placed))
    _resolve(project, fresh, columns, at)
    _set_aside(project, fresh, at)
    return {x.of.row_number for x in fresh}


def _not_there(given: Sequence[Answer]) -> list[Answer]:
    known = _known(x.of for x in given)
    standing = Assignment.objects.filter(example_id__in=known).exclude(state=AssignmentState.EXPIRED)
    seen = set(standing.values_list("example_id", "holder_id")) if known else set()
    stored = _stored_keys(given)
    fresh = []
    for x in given:
        key = (x.of.example_id, x.person_id)
        if key not in seen and _key(x) not in stored:
            seen.add(key)
            fresh.append(x)
    return fresh


def _key(x: Answer) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{x.of.example_id}:{x.said.id or x.person_id}")


_NAMESPACE = uuid.UUID("0b6f5a53-5c1f-4d0b-9a0e-5f0d7c1f9a11")


def _stored_keys(given: Sequence[Answer]) -> set[uuid.UUID]:
    keys = [_key(x) for x in given if not x.of.fresh]
    return set(Annotation.objects.filter(client_id__in=keys).values_list("client_id", flat=True)) if keys else set()


def _next_slots(example_ids: Sequence[int]) -> dict[int, int]:
    """The highest slot that somebody has had or that waits, by example."""
    last: dict[int, int] = defaultdict(lambda: -1)
    for model in (Assignment, FrontierItem):
        found = model.objects.filter(example_id__in=example_ids).values_list("example_id").annotate(last=Max("slot"))
        for example_id, slot in found.order_by():
            last[example_id] = max(last[example_id], slot)
    return last


_ASSIGNMENT = (
    "id",
    "project_id",
    "example_id",
    "slot",
    "holder_id",
    "state",
    "token",
    "leased_at",
    "leased_until",
    "lane",
    "rank",
    "reason",
    "suggestion",
    "suggested_value",
    "suggestion_confidence",
    "suggestion_source",
    "planted",
)


def _assignment(project: Project, x: Answer, pk: int, slot: int, columns: Columns, at: datetime) -> tuple[Any, ...]:
    said = x.said
    then, shown = said.at or at, said.suggestion
    state = AssignmentState.SKIPPED if said.value is None else AssignmentState.ANSWERED
    label = compact(shown) if shown is not None and set(shown) == {"label"} else ""
    return (
        pk,
        project.pk,
        x.of.example_id,
        slot,
        x.person_id,
        state,
        uuid.uuid4(),
        min(said.shown_at or then, then),
        then,
        Lane.BULK,
        0,
        _json({"strategy": "imported", "ingestion": x.ingestion_id, "was": _was(said)}),
        label,
        None if label else _json(shown),
        said.suggestion_confidence,
        said.suggestion_source,
        False,
    )


def _was(said: Answered) -> dict[str, Any]:
    """What the answer says of its past; an export says it again."""
    was = {
        "id": said.id,
        "lane": said.lane,
        "guidelines": said.guidelines,
        "run": said.run,
        "surplus": said.surplus,
        "error_kind": said.error_kind,
    }
    return {name: value for name, value in was.items() if value}


_ANNOTATION = (
    "client_id",
    "project_id",
    "example_id",
    "assignment_id",
    "annotator_id",
    "label_id",
    "value",
    "skip_reason",
    "comment",
    "flagged",
    "error_kind",
    "shown_at",
    "answered_at",
    "active_ms",
    "surplus",
)


def _annotation(project: Project, x: Answer, assignment_id: int, columns: Columns, at: datetime) -> tuple[Any, ...]:
    said, (label_id, value) = x.said, columns(x.said.value)
    then = said.at or at
    return (
        _key(x),
        project.pk,
        x.of.example_id,
        assignment_id,
        x.person_id,
        label_id,
        _json(value),
        said.skip,
        said.comment,
        said.flagged,
        "",
        min(said.shown_at or then, then),
        then,
        min(said.active_ms, 2**31 - 1),
        False,
    )


def _resolve(project: Project, fresh: Sequence[Answer], columns: Columns, at: datetime) -> None:
    """Labels of examples that nobody has said anything of before are made at once; the others one by one."""
    votes: dict[int, list[Answer]] = defaultdict(list)
    for x in fresh:
        if x.said.value is not None:
            votes[x.of.example_id].append(x)
    kind, needed = task_types.get(project.task_type).answer, project.queue.overlap_in(Lane.BULK)
    slowly, made = _spoken_of(fresh, list(votes)), dict[int, tuple[Any, ...]]()
    for example_id, xs in votes.items():
        values = [x.said.value for x in xs if x.said.value is not None]
        found = settle(values, kind=kind, needed=needed, review_at_most=project.queue.review_at_most)
        if example_id in slowly or found.outcome == "disagree":
            slowly.add(example_id)
        elif found.value is not None:
            column = columns(found.value)
            made[example_id] = _label_row(project, xs[0].of, column, LabelSource.CONSENSUS, at, Lane.BULK)
    names = ("project_id", "example_id", "label_id", "value", "source", "holdout", "lane", "shown_at", "resolved_at")
    rows_copy(Label, names, made.values())
    _asked_no_more(project, [votes[pk][0].of for pk in made], at)
    for example_id in sorted(slowly):
        label_resolve(example_id=example_id, at=at)


def _spoken_of(fresh: Sequence[Answer], example_ids: Sequence[int]) -> set[int]:
    """Those with a label, a review, a doubt, a label by the model, or an answer from before: their history decides too."""
    answers = Counter(x.of.example_id for x in fresh)
    stored = Annotation.objects.filter(example_id__in=example_ids, withdrawn_at=None).values("example_id")
    counted = stored.annotate(n=Count("pk")).order_by().values_list("example_id", "n")
    found = {pk for pk, n in counted if n > answers[pk]}
    for rows in (
        Label.objects.filter(pk__in=example_ids),
        AutoLabel.objects.filter(example_id__in=example_ids),
        Review.objects.filter(example_id__in=example_ids, state=ReviewState.OPEN),
        Suspect.objects.filter(example_id__in=example_ids, state=SuspectState.OPEN),
    ):
        found |= set(rows.values_list("example_id", flat=True))
    return found


def _set_aside(project: Project, fresh: Sequence[Answer], at: datetime) -> None:
    """As for answers of the desk: what two people skipped is asked of nobody else."""
    skipped = {x.of.example_id: x.said.skip for x in fresh if x.said.skip}
    skips = Annotation.objects.filter(example_id__in=list(skipped), withdrawn_at=None).exclude(skip_reason="")
    often = skips.values("example_id").annotate(n=Count("pk")).filter(n__gte=SKIPS_TO_SET_ASIDE).order_by()
    ids = [int(row["example_id"]) for row in often]
    SetAside.objects.bulk_create(
        [SetAside(project=project, example_id=pk, reason=skipped[pk], at=at) for pk in ids], ignore_conflicts=True
    )
    FrontierItem.objects.filter(example_id__in=ids).delete()
