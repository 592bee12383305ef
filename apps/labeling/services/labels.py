"""From answers to labels: what the votes say together once enough have answered; imported labels as they came."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.labeling.models import FrontierItem, Label, LabelSource, Lane, ReviewWhy
from apps.labeling.models.answers import SENT_SOURCES
from apps.labeling.services.auto_labels import auto_audit_settle
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.labeling.services.example_state import ExampleState, Vote, example_state, label_of
from apps.labeling.services.reviews import ask_one_more, ask_the_rest, review_close, review_open, reviews_wanted
from apps.labeling.services.suspects import suspect_settle
from apps.labeling.values import value_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.rules.settling import Settlement, settle
from apps.statements import insert


@transaction.atomic(savepoint=False)
def label_resolve(
    *, example_id: int, at: datetime, state: ExampleState | None = None, reviews_stay: bool = False
) -> Label | None:
    """Settle, change or withdraw the label of one example, and of those that show the same, from the votes that stand.

    A reviewer's answer decides alone. A gold label never changes. Where the votes disagree a review opens and there is
    no label until it is decided. `state` is given where the example is locked and read already; `reviews_stay` where
    no vote was taken back, so that an open review is never closed for want of votes.
    """
    state = state or example_state(example_id)
    digests = [state.example.content_digest] if state.copied else []
    repeated = duplicates_lock(project_id=state.project.pk, digests=digests) if digests else []
    if repeated:
        state = replace(state, have=label_of(example_id))
    label = _resolve(state, at, reviews_stay)
    if repeated:
        duplicates_settle(project_id=state.project.pk, digests=repeated, at=at)
    if state.audited:
        auto_audit_settle(example_id=example_id, label=label, at=at)
    return label


def _resolve(state: ExampleState, at: datetime, reviews_stay: bool) -> Label | None:
    if state.have and state.have.source == LabelSource.GOLD:
        return state.have
    decided = next((v for v in reversed(state.votes) if v.lane == Lane.REVIEW), None)
    found = _settled(state, decided)
    if found.value is None:
        _unsettled(state, found, at, reviews_stay)
        return None
    if state.reviewed:
        review_close(example=state.example, at=at)
    if state.waiting:
        _stop_asking(state.example.pk, at)
    if not state.votes:  # imported, and every vote was withdrawn
        return state.have
    label = _label(state, found.value, decided, at)
    if state.doubted:
        looked_again = any(v.lane in (Lane.RELABEL, Lane.REVIEW) for v in state.votes)
        suspect_settle(example_id=state.example.pk, label=label, looked_again=looked_again, at=at)
    return label


def _settled(state: ExampleState, decided: Vote | None) -> Settlement:
    if decided:
        return Settlement(decided.value, "agreed", "A reviewer decided.", 1.0)
    project, votes, have = state.project, state.votes, state.have
    values = [v.value for v in votes]
    asked_again = have and have.source in SENT_SOURCES and (not votes or _second_look(votes))
    if asked_again and have and (imported := value_of(have)) is not None:
        values = [imported, *values]  # what came with the example is one opinion, and the second look another
    needed = project.queue.overlap_in(votes[-1].lane) if votes else project.queue.overlap
    kind = task_types.get(project.task_type).answer
    return settle(values, kind=kind, needed=1 if asked_again else needed, review_at_most=project.queue.review_at_most)


def _second_look(votes: Sequence[Vote]) -> bool:
    return any(v.lane == Lane.RELABEL for v in votes)


def _unsettled(state: ExampleState, found: Settlement, at: datetime, reviews_stay: bool) -> None:
    """No label; where the votes disagree somebody decides. An imported label stands until a second look doubts it."""
    have, kept = state.have, (*SENT_SOURCES, LabelSource.DUPLICATE)
    torn = found.outcome == "disagree"
    if have and (have.source not in kept or (torn and have.source in SENT_SOURCES)):
        have.delete()
        have = None
    if torn and have is None:
        if reviews_wanted(state.project):
            why = ReviewWhy.RELABEL if _second_look(state.votes) else ReviewWhy.DISAGREEMENT
            review_open(example=state.example, why=why, agreement=found.agreement, at=at)
        else:
            ask_one_more(example=state.example, lane=state.votes[-1].lane, at=at)
    elif state.reviewed and reviews_stay:
        return
    elif state.reviewed:
        review_close(example=state.example, at=at)
    if found.outcome == "too few" and state.votes and not state.waiting and have is None:
        ask_the_rest(example=state.example, lane=state.votes[-1].lane, at=at)


def _label(state: ExampleState, value: Value, decided: Vote | None, at: datetime) -> Label:
    """The row that says so; the times are those of the answer that settled it, and an unchanged label keeps its own."""
    have, source = state.have, LabelSource.REVIEW if decided else LabelSource.CONSENSUS
    same = have is not None and value_of(have) == value
    if have and same and (have.source == source or (have.source in SENT_SOURCES and not decided)):
        return have
    deciding = decided or next((v for v in reversed(state.votes) if v.value == value), state.votes[-1])
    columns: dict[str, Any] = {
        "project_id": state.project.pk,
        "label_id": deciding.label_id,
        "value": None if deciding.label_id else value,
        "source": source,
        "holdout": state.example.holdout,
        "lane": deciding.lane,
        "shown_at": deciding.shown_at,
        "resolved_at": at,
        "confidence": None,
    }
    if have and same:  # confirmed by a reviewer: nothing new for a model to learn
        for name, of in columns.items():
            setattr(have, name, of)
        have.save(update_fields=["source", "lane", "shown_at", "resolved_at", "confidence"])
        return have
    if have:
        have.delete()
    return insert(Label(example_id=state.example.pk, **columns))


def _stop_asking(example_id: int, at: datetime) -> None:
    """The label stands, so slots that nobody holds are not asked any more."""
    FrontierItem.objects.filter(Q(leased_until=None) | Q(leased_until__lt=at), example_id=example_id).delete()


@transaction.atomic
def labels_share(*, project: Project, digests: Sequence[str], at: datetime) -> int:
    """After new examples came: those that show what is labeled already need no answer."""
    return duplicates_settle(
        project_id=project.pk, digests=duplicates_lock(project_id=project.pk, digests=digests), at=at
    )


@transaction.atomic
def labels_trained(*, project_id: int, seen: Sequence[tuple[int, datetime]], run_number: int) -> int:
    """Remember which run saw each label first; the lap of that run's model counts exactly these.

    `seen` are examples and when their labels were resolved: one that changed meanwhile is another label, not seen yet.
    """
    times = dict(seen)
    new = Label.objects.filter(project_id=project_id, holdout=False, first_run_number=None)
    waiting = new.select_for_update(no_key=True).values_list("pk", "example_id", "resolved_at")
    mine = [pk for pk, example_id, resolved_at in waiting if times.get(example_id) == resolved_at]
    return new.filter(pk__in=mine).update(first_run_number=run_number)
