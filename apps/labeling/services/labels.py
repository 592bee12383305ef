"""From answers to labels: majority of the votes once the overlap is reached; imported labels as they came."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q

from apps.datasets.models import Example
from apps.datasets.services import Labeled
from apps.labeling.models import Annotation, Assignment, AssignmentState, FrontierItem, Label, LabelSource
from apps.labeling.services.auto_labels import auto_audit_settle
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.agreement import majority


@transaction.atomic
def label_resolve(*, example_id: int, at: datetime) -> Label | None:
    """Settle, change or withdraw the label of one example, and of those that show the same, from the votes that stand."""
    example = Example.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=example_id)
    repeated = duplicates_lock(project_id=example.project_id, digests=[example.content_digest])
    label = _resolve(example, at)
    duplicates_settle(project_id=example.project_id, digests=repeated, at=at)
    auto_audit_settle(example_id=example.pk, label=label, at=at)
    return label


def _resolve(example: Example, at: datetime) -> Label | None:
    votes = list(
        Annotation.objects.filter(example=example, withdrawn_at=None, label__isnull=False).order_by("answered_at")
    )
    found = majority([int(v.label_id or 0) for v in votes], needed=example.project.overlap)
    have = Label.objects.filter(example=example).first()
    if found.label is None:
        if have and have.source == LabelSource.CONSENSUS:
            have.delete()
            have = None
        if found.reason == "tie" and have is None:
            _ask_one_more(example, votes[-1], at)
        return None
    _stop_asking(example.pk, at)
    if have and have.label_id == found.label and have.source != LabelSource.DUPLICATE:
        return have
    deciding = next(v for v in reversed(votes) if v.label_id == found.label)
    assignment = deciding.assignment
    label, _ = Label.objects.update_or_create(
        example=example,
        defaults={
            "project": example.project,
            "label_id": found.label,
            "source": LabelSource.CONSENSUS,
            "holdout": example.holdout,
            "lane": assignment.lane,
            "shown_at": deciding.shown_at,
            "resolved_at": at,
            "first_run_number": None,
            "served_at": None,
        },
    )
    return label


def _ask_one_more(example: Example, last: Annotation, at: datetime) -> None:
    """Every slot is answered and the votes are split: one more slot, in front of its lane, for somebody else."""
    if FrontierItem.objects.filter(example=example).exists():
        return
    answered = Assignment.objects.filter(example=example, state=AssignmentState.ANSWERED).aggregate(last=Max("slot"))
    FrontierItem.objects.create(
        project=example.project, example=example, slot=(answered["last"] or 0) + 1, lane=last.assignment.lane, rank=0,
        reason={"strategy": "tie"}, queued_at=at,
    )  # fmt: skip


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
