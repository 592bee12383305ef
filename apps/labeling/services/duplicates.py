"""Examples that show the same are one question: the label of one is the label of all, marked as such."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from apps.datasets.models import Example
from apps.labeling.models import FrontierItem, Label, LabelSource
from apps.work.locks import Lock, lock_each


def duplicates_lock(*, project_id: int, digests: Iterable[str]) -> list[str]:
    """Those of the digests that several examples have, locked until the transaction ends.

    Taken before any label of these examples is written: two people who settle two copies at once would each hold one
    label and wait for the other's.
    """
    copies = Example.objects.filter(project_id=project_id, content_digest__in=[d for d in set(digests) if d])
    several = copies.values("content_digest").annotate(n=Count("pk")).filter(n__gt=1).order_by("content_digest")
    found = [str(digest) for digest in several.values_list("content_digest", flat=True)]
    if found:
        lock_each(Lock.CONTENT, (f"{project_id}:{digest}" for digest in found))
    return found


@transaction.atomic
def duplicates_settle(*, project_id: int, digests: Sequence[str], at: datetime) -> int:
    """Bring the shared labels of these contents, locked by `duplicates_lock`, up to date; returns how many have one now.

    A content whose own labels (by people, or imported) all say the same gives it to every other example that shows it.
    Where they contradict each other nobody knows, so nothing is shared and the rest is asked as usual.
    """
    if not digests:
        return 0
    groups: dict[str, list[Example]] = defaultdict(list)
    members = Example.objects.filter(project_id=project_id, content_digest__in=digests).order_by("pk")
    for example in members.defer("fields"):
        groups[example.content_digest].append(example)
    ids = [e.pk for group in groups.values() for e in group]
    labels = {label.pk: label for label in Label.objects.filter(example_id__in=ids)}
    return sum(_settle(group, labels, at) for group in groups.values())


def _settle(group: Sequence[Example], labels: dict[int, Label], at: datetime) -> int:
    own = [labels[e.pk] for e in group if e.pk in labels and labels[e.pk].source != LabelSource.DUPLICATE]
    given = {_said(label) for label in own}
    others = [e for e in group if e.pk not in labels or labels[e.pk].source == LabelSource.DUPLICATE]
    if len(given) != 1:
        Label.objects.filter(example_id__in=[e.pk for e in others], source=LabelSource.DUPLICATE).delete()
        return 0
    source = own[0]
    lacking = [e for e in others if e.holdout == source.holdout and _differs(labels.get(e.pk), source)]
    Label.objects.filter(example_id__in=[e.pk for e in lacking]).delete()
    Label.objects.bulk_create([_shared(e, source, at) for e in lacking])
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    FrontierItem.objects.filter(free, example_id__in=[e.pk for e in lacking]).delete()
    return sum(e.holdout == source.holdout for e in others)


def _differs(have: Label | None, source: Label) -> bool:
    return have is None or _said(have) != _said(source)


def _said(label: Label) -> tuple[int | None, str]:
    """What can be compared: the one label, or the canonical JSON of another kind of answer."""
    return label.label_id, json.dumps(label.value, sort_keys=True)


def _shared(example: Example, source: Label, at: datetime) -> Label:
    """The clock of a copy starts when the copy is there: it may have come after its label."""
    return Label(
        project_id=source.project_id,
        example=example,
        label_id=source.label_id,
        value=source.value,
        source=LabelSource.DUPLICATE,
        holdout=example.holdout,
        lane=source.lane,
        shown_at=max(source.shown_at, example.ingested_at),
        resolved_at=max(source.resolved_at, example.ingested_at),
    )
