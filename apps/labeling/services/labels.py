"""From answers to labels: what the votes say together once enough have answered; imported labels as they came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.datasets.models import Example
from apps.datasets.services import Labeled
from apps.labeling.models import (
    Annotation,
    AutoLabel,
    FrontierItem,
    Label,
    LabelSource,
    Lane,
    Review,
    ReviewState,
    ReviewWhy,
    Suspect,
    SuspectState,
)
from apps.labeling.services.auto_labels import auto_audit_settle
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.labeling.services.reviews import ask_one_more, review_close, review_open, reviews_wanted
from apps.labeling.services.suspects import suspect_settle
from apps.labeling.values import columns_of, value_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import overlap_of, schema_of
from apps.rules.settling import Settled, settle


@transaction.atomic
def label_resolve(*, example_id: int, at: datetime) -> Label | None:
    """Settle, change or withdraw the label of one example, and of those that show the same, from the votes that stand.

    A reviewer's answer decides alone. A gold label never changes. Where the votes disagree a review opens and there is
    no label until it is decided.
    """
    example = _locked(example_id)
    repeated = (
        duplicates_lock(project_id=example.project_id, digests=[example.content_digest]) if example.copied else []
    )
    have = Label.objects.filter(pk=example_id).select_related("label").first() if repeated else _own(example)
    label = _resolve(example, have, at)
    duplicates_settle(project_id=example.project_id, digests=repeated, at=at)
    if example.audited:
        auto_audit_settle(example_id=example.pk, label=label, at=at)
    return label


def _locked(example_id: int) -> Any:
    """The example, its project, and what else has to be looked at: one statement on the way of every answer."""
    same = Example.objects.filter(project=OuterRef("project"), content_digest=OuterRef("content_digest"))
    found = Example.objects.annotate(
        copied=Exists(same.exclude(pk=OuterRef("pk")).exclude(content_digest="")),
        audited=Exists(AutoLabel.objects.filter(example=OuterRef("pk"))),
        waiting=Exists(FrontierItem.objects.filter(example=OuterRef("pk"))),
        reviewed=Exists(Review.objects.filter(example=OuterRef("pk"), state=ReviewState.OPEN)),
        doubted=Exists(Suspect.objects.filter(example=OuterRef("pk"), state=SuspectState.OPEN)),
    )
    return (
        found.select_for_update(of=("self",), no_key=True).select_related("project", "label__label").get(pk=example_id)
    )


def _own(example: Any) -> Label | None:
    """As it came with the example; a copy's may have changed until its lock was there, and is read again."""
    return getattr(example, "label", None)


def _resolve(example: Any, have: Label | None, at: datetime) -> Label | None:
    if have and have.source == LabelSource.GOLD:
        return have
    votes = _votes(example.pk)
    decided = next((v for v in reversed(votes) if v.assignment.lane == Lane.REVIEW), None)
    looked_again = any(v.assignment.lane in (Lane.RELABEL, Lane.REVIEW) for v in votes)
    found = _settled(example, have, votes, decided)
    if found.value is None:
        return _unsettled(example, have, votes, found, at)
    if example.reviewed:
        review_close(example=example, at=at)
    if example.waiting:
        _stop_asking(example.pk, at)
    if not votes:  # imported, and every vote was withdrawn
        return have
    label = _label(example, have, found, decided, votes, at)
    if example.doubted:
        suspect_settle(example_id=example.pk, label=label, looked_again=looked_again, at=at)
    return label


def _votes(example_id: int) -> list[Annotation]:
    """What counts, oldest first: neither skips, nor gold, nor what was withdrawn."""
    votes = Annotation.objects.filter(example_id=example_id, withdrawn_at=None, skip_reason="")
    return list(
        votes.exclude(assignment__lane=Lane.GOLD).select_related("label", "assignment").order_by("answered_at", "pk")
    )


def _settled(example: Any, have: Label | None, votes: list[Annotation], decided: Annotation | None) -> Settled:
    project: Project = example.project
    kind = task_types.get(project.task_type).answer
    if decided:
        return Settled(value_of(decided), "agreed", "A reviewer decided.", 1.0)
    values = [value for v in votes if (value := value_of(v)) is not None]
    asked_again = have and have.source == LabelSource.IMPORTED and (not votes or _second_look(votes))
    if asked_again and have and (imported := value_of(have)) is not None:
        values = [imported, *values]  # what came with the example is one opinion, and the second look another
    needed = overlap_of(project, votes[-1].assignment.lane) if votes else project.overlap
    return settle(values, kind=kind, needed=1 if asked_again else needed, review_at_most=project.review_at_most)


def _second_look(votes: list[Annotation]) -> bool:
    return any(v.assignment.lane == Lane.RELABEL for v in votes)


def _unsettled(example: Any, have: Label | None, votes: list[Annotation], found: Settled, at: datetime) -> Label | None:
    if have and have.source not in (LabelSource.IMPORTED, LabelSource.DUPLICATE):
        have.delete()
        have = None
    elif have and found.outcome == "disagree" and have.source == LabelSource.IMPORTED:
        have.delete()  # a second look doubts it: until somebody decides nobody knows
        have = None
    if found.outcome == "disagree" and have is None:
        if reviews_wanted(example.project):
            why = ReviewWhy.RELABEL if _second_look(votes) else ReviewWhy.DISAGREEMENT
            review_open(example=example, why=why, agreement=found.agreement, at=at)
        else:
            ask_one_more(example=example, lane=votes[-1].assignment.lane, at=at)
    elif example.reviewed:
        review_close(example=example, at=at)
    return None


def _label(
    example: Any, have: Label | None, found: Settled, decided: Annotation | None, votes: list[Annotation], at: datetime
) -> Label:
    """The row that says so; the times are those of the answer that settled it, and an unchanged label keeps its own."""
    assert found.value is not None
    source = LabelSource.REVIEW if decided else LabelSource.CONSENSUS
    same = have is not None and value_of(have) == found.value
    if have and same and (have.source == source or (have.source == LabelSource.IMPORTED and not decided)):
        return have
    deciding = decided or next((v for v in reversed(votes) if value_of(v) == found.value), votes[-1])
    columns = {
        "project_id": example.project_id, **columns_of(example.project, found.value), "source": source,
        "holdout": example.holdout, "lane": deciding.assignment.lane, "shown_at": deciding.shown_at, "resolved_at": at,
        "confidence": None,
    }  # fmt: skip
    if have and same:  # confirmed by a reviewer: nothing new for a model to learn
        for name, value in columns.items():
            setattr(have, name, value)
        have.save(update_fields=["source", "lane", "shown_at", "resolved_at", "confidence"])
        return have
    if have:
        have.delete()
    return Label.objects.create(example_id=example.pk, **columns)


def _stop_asking(example_id: int, at: datetime) -> None:
    """The label stands, so slots that nobody holds are not asked any more."""
    FrontierItem.objects.filter(Q(leased_until=None) | Q(leased_until__lt=at), example_id=example_id).delete()


@transaction.atomic
def labels_import(*, project: Project, labeled: Sequence[Labeled], at: datetime) -> int:
    """Keep labels that came with their examples; they need no answer, so their slots leave the queue."""
    by_name = {x.name: x.pk for x in schema_of(project).labels}
    holdout = dict(Example.objects.filter(pk__in=[x.example_id for x in labeled]).values_list("pk", "holdout"))
    made = Label.objects.bulk_create(
        [
            Label(
                project=project, example_id=x.example_id, label_id=by_name[x.label_name], source=LabelSource.IMPORTED,
                holdout=holdout[x.example_id], shown_at=at, resolved_at=at,
            )
            for x in labeled
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    FrontierItem.objects.filter(example_id__in=[x.example_id for x in labeled]).delete()
    return len(made)


@transaction.atomic
def labels_share(*, project: Project, digests: Sequence[str], at: datetime) -> int:
    """After new examples came: those that show what is labeled already need no answer."""
    return duplicates_settle(
        project_id=project.pk, digests=duplicates_lock(project_id=project.pk, digests=digests), at=at
    )


def labels_trained(*, project_id: int, example_ids: Sequence[int], run_number: int) -> int:
    """Remember which run saw each label first; the lap of that run's model counts exactly these."""
    return Label.objects.filter(project_id=project_id, example_id__in=example_ids, first_run_number=None).update(
        first_run_number=run_number
    )
