"""Write people's answers, each as an answered assignment of its own slot, and what follows from them."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from apps.datasets.batches import StoredRow
from apps.datasets.copying import ids_reserved, rows_copy
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    AutoLabel,
    FrontierItem,
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
from apps.labeling.services.labels import label_resolve
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.settling import settle
from apps.transfer.rows import Answered, compact
from apps.transfer.storing.columns import Columns, json_of, known_among
from apps.transfer.storing.labels import LABEL_COLUMNS, asked_no_more, label_row

NAMESPACE = uuid.UUID("0b6f5a53-5c1f-4d0b-9a0e-5f0d7c1f9a11")
ASSIGNMENT_COLUMNS = (
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
ANNOTATION_COLUMNS = (
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


@dataclass(frozen=True, slots=True)
class ImportedAnswer:
    """One answer of a member, and the example that it is about."""

    of: StoredRow
    person_id: int
    answer: Answered
    ingestion_id: int | None


def answers_keep(project: Project, given: Sequence[ImportedAnswer], columns: Columns, *, at: datetime) -> set[int]:
    """Each as an answered assignment of its own slot and its annotation; then the labels that follow from them.

    Whoever has answered an example, or holds it, is not given a second answer to it.
    """
    if not given:
        return set()
    fresh = _not_there(given)
    if not fresh:
        return set()
    slots = _next_slots(known_among(x.of for x in fresh))
    assignment_ids = ids_reserved(Assignment, len(fresh))
    placed = []
    for x, pk in zip(fresh, assignment_ids, strict=True):
        slots[x.of.example_id] += 1
        placed.append((x, pk, slots[x.of.example_id]))
    rows_copy(
        Assignment, ASSIGNMENT_COLUMNS, (_assignment(project, x, pk, slot, columns, at) for x, pk, slot in placed)
    )
    rows_copy(Annotation, ANNOTATION_COLUMNS, (_annotation(project, x, pk, columns, at) for x, pk, _ in placed))
    _resolve(project, fresh, columns, at)
    _set_aside(project, fresh, at)
    return {x.of.row_number for x in fresh}


def _not_there(given: Sequence[ImportedAnswer]) -> list[ImportedAnswer]:
    known = known_among(x.of for x in given)
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


def _key(x: ImportedAnswer) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"{x.of.example_id}:{x.answer.id or x.person_id}")


def _stored_keys(given: Sequence[ImportedAnswer]) -> set[uuid.UUID]:
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


def _assignment(
    project: Project, x: ImportedAnswer, pk: int, slot: int, columns: Columns, at: datetime
) -> tuple[Any, ...]:
    said = x.answer
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
        json_of({"strategy": "imported", "ingestion": x.ingestion_id, "was": _was(said)}),
        label,
        None if label else json_of(shown),
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


def _annotation(
    project: Project, x: ImportedAnswer, assignment_id: int, columns: Columns, at: datetime
) -> tuple[Any, ...]:
    said, (label_id, value) = x.answer, columns(x.answer.value)
    then = said.at or at
    return (
        _key(x),
        project.pk,
        x.of.example_id,
        assignment_id,
        x.person_id,
        label_id,
        json_of(value),
        said.skip,
        said.comment,
        said.flagged,
        "",
        min(said.shown_at or then, then),
        then,
        min(said.active_ms, 2**31 - 1),
        False,
    )


def _resolve(project: Project, fresh: Sequence[ImportedAnswer], columns: Columns, at: datetime) -> None:
    """Labels of examples that nobody has said anything of before are made at once; the others one by one."""
    votes: dict[int, list[ImportedAnswer]] = defaultdict(list)
    for x in fresh:
        if x.answer.value is not None:
            votes[x.of.example_id].append(x)
    kind, needed = task_types.get(project.task_type).answer, project.queue.overlap_in(Lane.BULK)
    slowly, made = _spoken_of(fresh, list(votes)), dict[int, tuple[Any, ...]]()
    for example_id, xs in votes.items():
        values = [x.answer.value for x in xs if x.answer.value is not None]
        found = settle(values, kind=kind, needed=needed, review_at_most=project.queue.review_at_most)
        if example_id in slowly or found.outcome == "disagree":
            slowly.add(example_id)
        elif found.value is not None:
            column = columns(found.value)
            made[example_id] = label_row(project, xs[0].of, column, LabelSource.CONSENSUS, at, Lane.BULK)
    rows_copy(Label, LABEL_COLUMNS, made.values())
    asked_no_more(project, [votes[pk][0].of for pk in made], at)
    for example_id in sorted(slowly):
        label_resolve(example_id=example_id, at=at)


def _spoken_of(fresh: Sequence[ImportedAnswer], example_ids: Sequence[int]) -> set[int]:
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


def _set_aside(project: Project, fresh: Sequence[ImportedAnswer], at: datetime) -> None:
    """As for answers of the desk: what two people skipped is asked of nobody else."""
    skipped = {x.of.example_id: x.answer.skip for x in fresh if x.answer.skip}
    skips = Annotation.objects.filter(example_id__in=list(skipped), withdrawn_at=None).exclude(skip_reason="")
    often = skips.values("example_id").annotate(n=Count("pk")).filter(n__gte=SKIPS_TO_SET_ASIDE).order_by()
    ids = [int(row["example_id"]) for row in often]
    SetAside.objects.bulk_create(
        [SetAside(project=project, example_id=pk, reason=skipped[pk], at=at) for pk in ids], ignore_conflicts=True
    )
    FrontierItem.objects.filter(example_id__in=ids).delete()
