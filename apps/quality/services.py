"""Gold added and removed, pauses lifted, doubted labels put in front of somebody who has not answered them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.errors import DomainError, Invalid, NotFound
from apps.labeling.locks import examples_locked
from apps.labeling.models import (
    FrontierItem,
    GoldItem,
    Label,
    LabelSource,
    Lane,
    Pause,
    SetAside,
    Suspect,
    SuspectState,
)
from apps.labeling.services.auto_labels import auto_audit_settle
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.reviews import review_close, slot_after
from apps.labeling.services.suspects import suspect_settle
from apps.labeling.values import columns_of, value_of
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.answers import AnswerRefused, Value
from apps.rules.sentences import sentence

MOST_EXPLANATION = 2000  # characters


class CannotBeGold(DomainError):
    code = "cannot_be_gold"


class NotPaused(DomainError):
    code = "not_paused"


@transaction.atomic
def gold_add(
    *, project: Project, example_id: int, value: Value, explanation: str = "", by: User, at: datetime
) -> GoldItem:
    """Make this example's answer known. It gets the label, leaves the queue, and everybody is asked it once.

    Gold lies outside the holdout: people pick it for being clear, and a holdout that is not drawn by chance would judge
    models by clear cases. A gold label is trained on like any other: nothing is surer. Raises CannotBeGold or Invalid.
    """
    if len(explanation) > MOST_EXPLANATION:
        raise Invalid(_("An explanation has at most {n} characters.").format(n=MOST_EXPLANATION), field="explanation")
    example = _free_locked(project, example_id, at)
    columns = columns_of(project, _checked(project, example, value))
    item = GoldItem.objects.create(
        example=example, project=project, **columns, explanation=explanation.strip(), by=by, at=at
    )
    _label_known(project, example, columns, LabelSource.GOLD, at)
    kind = task_types.get(project.task_type).answer
    event_record(
        project_id=project.pk,
        verb=Verb.GOLD_ADDED,
        subject=f"example {example.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} made example {id} gold: {words}", by=by, id=example.external_id, words=kind.words(value)
        ),
        after={"value": value},
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)
    return item


def _free_locked(project: Project, example_id: int, at: datetime) -> Example:
    """The example, its waiting slots locked before it, as an answer does. Raises CannotBeGold."""
    example = examples_locked(project, [example_id]).get(example_id)
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    if example.holdout:
        raise CannotBeGold(
            _(
                "Example {id} lies in the holdout. Gold is picked by hand, and models must be judged by what chance drew."
            ).format(id=example.external_id)
        )
    if GoldItem.objects.filter(pk=example_id).exists():
        raise CannotBeGold(_("Example {id} is gold already.").format(id=example.external_id))
    return example


def _checked(project: Project, example: Example, value: Value) -> Value:
    task = task_types.get(project.task_type)
    try:
        return task.answer.check(value, labels=[x.name for x in schema_of(project).offered], fields=example.fields)
    except AnswerRefused as refused:
        raise Invalid(refusal(refused), field="value") from refused


def _label_known(project: Project, example: Example, columns: dict[str, Any], source: str, at: datetime) -> Label:
    """The label that the example has from now on, with everything that follows from a label."""
    repeated = duplicates_lock(project_id=project.pk, digests=[example.content_digest])
    have = Label.objects.filter(pk=example.pk).select_related("label").first()
    if have and have.label_id == columns["label_id"] and have.value == columns["value"]:
        have.source, have.confidence = source, None
        have.save(update_fields=["source", "confidence"])
        label = have
    else:
        shown_at = have.shown_at if have else at
        if have:
            have.delete()
        label = Label.objects.create(
            project=project,
            example=example,
            **columns,
            source=source,
            holdout=example.holdout,
            shown_at=shown_at,
            resolved_at=at,
        )
    review_close(example=example, at=at)
    suspect_settle(example_id=example.pk, label=label, looked_again=True, at=at)
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    FrontierItem.objects.filter(free, example=example).delete()
    SetAside.objects.filter(example=example).delete()
    duplicates_settle(project_id=project.pk, digests=repeated, at=at)
    auto_audit_settle(example_id=example.pk, label=label, at=at)
    return label


@transaction.atomic
def gold_remove(*, project: Project, example_id: int, keep_label: bool, by: User, at: datetime) -> None:
    """Ask nobody about it any more. The label stays as a person's decision, or goes and what people answered counts."""
    example = examples_locked(project, [example_id]).get(example_id)
    item = GoldItem.objects.filter(pk=example_id, project=project).select_related("label").first()
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    if item is None:
        raise CannotBeGold(_("This example is not gold, or somebody was faster."))
    value = value_of(item)
    item.delete()
    known = Label.objects.filter(pk=example_id, source=LabelSource.GOLD)
    if keep_label:
        known.update(source=LabelSource.REVIEW)
    else:
        known.delete()
        label_resolve(example_id=example_id, at=at)
    event_record(
        project_id=project.pk,
        verb=Verb.GOLD_REMOVED,
        subject=f"example {example_id}",
        by=by,
        at=at,
        sentence=sentence("{by} took example {id} out of gold; its label stays", by=by, id=example.external_id)
        if keep_label
        else sentence("{by} took example {id} out of gold; its label goes", by=by, id=example.external_id),
        before={"value": value},
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)


@transaction.atomic
def gold_paste(*, project: Project, lines: Sequence[tuple[int, str, Value]], by: User, at: datetime) -> list[GoldItem]:
    """All of (line, external id, value), or none: raises Invalid that names every line which does not fit."""
    ids = dict(
        Example.objects.filter(project=project, external_id__in=[x[1] for x in lines]).values_list("external_id", "pk")
    )
    added, wrong = [], []
    for number, external_id, value in sorted(
        lines, key=lambda x: ids.get(x[1], 0)
    ):  # key order, so that two never block
        try:
            if external_id not in ids:
                raise NotFound(_("there is no example “{id}”.").format(id=external_id[:80]))
            added.append(gold_add(project=project, example_id=ids[external_id], value=value, by=by, at=at))
        except DomainError as refused:
            wrong.append((number, _("Line {n}: {why}").format(n=number, why=refused.message)))
    if wrong:
        raise Invalid(" ".join(words for _number, words in sorted(wrong)[:10]), field="lines")
    return added


@transaction.atomic
def pause_lift(*, project: Project, person_id: int, by: User, at: datetime) -> Pause:
    """Let somebody go on. Never oneself: a pause is somebody else's question."""
    open_ones = Pause.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    pause = open_ones.filter(project=project, person_id=person_id, lifted_at=None).first()
    if pause is None:
        raise NotPaused(_("This person is not paused, or somebody was faster."))
    if person_id == by.pk:
        raise NotPaused(_("Your own pause is for somebody else to lift: a reviewer, manager or admin."))
    pause.lifted_at, pause.lifted_by = at, by
    pause.save(update_fields=["lifted_at", "lifted_by"])
    event_record(
        project_id=project.pk,
        verb=Verb.ANNOTATOR_RESUMED,
        subject=f"user {person_id}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} lets {person} go on. The pause said: {reason}", by=by, person=pause.person, reason=pause.reason
        ),
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)
    return pause


@dataclass(frozen=True)
class Doubt:
    """A label that does not fit the model's out-of-sample opinion; ids are those of labels of the schema."""

    example_id: int
    given_id: int
    expected_id: int
    quality: float


@transaction.atomic
def suspects_record(
    *, project: Project, run_number: int, doubts: Sequence[Doubt], sentence: str, at: datetime
) -> list[Suspect]:
    """Put doubted labels in the relabel lane, the most doubtful first. Those that changed meanwhile are left alone."""
    by_id = {doubt.example_id: doubt for doubt in doubts}
    examples = Example.objects.select_for_update(no_key=True).filter(project=project, pk__in=by_id).order_by("pk")
    still = {
        label.pk: label.label_id
        for label in Label.objects.filter(example__in=[e.pk for e in examples], source__in=DOUBTED)
    }
    known = set(
        Suspect.objects.filter(example_id__in=by_id, state=SuspectState.OPEN).values_list("example_id", flat=True)
    )
    fresh = [d for d in doubts if still.get(d.example_id) == d.given_id and d.example_id not in known]
    made = Suspect.objects.bulk_create(
        Suspect(
            project=project,
            example_id=d.example_id,
            run_number=run_number,
            given_id=d.given_id,
            expected_id=d.expected_id,
            quality=d.quality,
            found_at=at,
        )
        for d in fresh
    )
    FrontierItem.objects.bulk_create(
        FrontierItem(
            project=project,
            example_id=d.example_id,
            slot=slot_after(d.example_id),
            lane=Lane.RELABEL,
            rank=round(d.quality * 1_000_000),
            reason={"strategy": "suspect"},
            run_number=run_number,
            queued_at=at,
        )
        for d in fresh
    )
    event_record(
        project_id=project.pk,
        verb=Verb.LABELS_DOUBTED,
        subject=f"run {run_number}",
        by=None,
        at=at,
        sentence=sentence,
        after={"suspects": len(made)},
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)
    look_again(Topic.PROJECT.of(project.pk), News.QUEUE)
    return made


DOUBTED = (
    LabelSource.CONSENSUS,
    LabelSource.IMPORTED,
    LabelSource.FEEDBACK,
)  # a reviewer's and gold are decided, copies follow their original
