"""Labels as those who train, measure and choose read them: plain columns, oldest or newest first, never the other way by chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection
from django.db.models import Q
from numpy.typing import NDArray

from apps.labeling.kept_out import trained_on
from apps.labeling.models import Frontier, Label, LabelSource, ReturnedLabel, SetAside, Suspect, SuspectState
from apps.projects.models import Project

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class SettledLabels:
    """Examples (n,) and their labels as class indices (n,), oldest first."""

    ids: Ids
    classes: Ids

    def __len__(self) -> int:
        return len(self.ids)


def settled(
    project: Project, names: Sequence[str], *, held: bool = False, lane: str | None = None, source: str | None = None
) -> SettledLabels:
    """Own labels, not those that copies share: a copy would count one answer twice."""
    labels = Label.objects.filter(project=project, holdout=held, label__name__in=names)
    labels = labels.exclude(source=LabelSource.DUPLICATE)
    labels = labels if lane is None else labels.filter(lane=lane)
    labels = labels if source is None else labels.filter(source=source)
    rows = list(labels.order_by("resolved_at", "pk").values_list("pk", "label__name"))
    return SettledLabels(
        np.array([pk for pk, _ in rows], np.int64), np.array([names.index(name) for _, name in rows], np.int64)
    )


def lanes_of_labels(project: Project) -> list[tuple[str, str, str]]:
    """(label, lane, source) of each label outside the holdout."""
    rows = Label.objects.filter(project=project, holdout=False)
    return list(rows.values_list("label__name", "lane", "source"))


def names_of_labels(project: Project) -> list[str]:
    """The label of each labeled example outside the holdout."""
    return list(Label.objects.filter(project=project, holdout=False).values_list("label__name", flat=True))


def newest_seen(project: Project, limit: int) -> list[tuple[int, str | None]]:
    """The newest labels outside the holdout and then the newest skips, which have no label: (example, label)."""
    labels = Label.objects.filter(project=project, holdout=False).order_by("-resolved_at")
    seen: list[tuple[int, str | None]] = list(labels.values_list("example_id", "label__name")[:limit])
    aside = SetAside.objects.filter(project=project, example__holdout=False).order_by("-at")
    return seen + [(pk, None) for pk in aside.values_list("example_id", flat=True)[: limit - len(seen)]]


def newest_unseen_by(project: Project, run_number: int, labels: Sequence[str], limit: int) -> list[tuple[int, str]]:
    """Labels that the run was not trained on, those since and the holdout's, newest first: (example, label)."""
    unseen = Q(holdout=True) | Q(first_run_number=None) | Q(first_run_number__gt=run_number)
    rows = Label.objects.filter(unseen, project=project, label__name__in=labels).order_by("-resolved_at")
    return list(rows.values_list("example_id", "label__name")[:limit])


def labels_since(project_id: int, since: datetime | None) -> Iterator[tuple[int, datetime]]:
    """(example, resolved at) outside the holdout, oldest first; all of them without a moment. Those that came back as feedback
    have a cursor of their own: `returned_since`."""
    found = trained_on(Label.objects.filter(project=project_id, holdout=False, label__isnull=False), project_id)
    found = found.exclude(source=LabelSource.FEEDBACK)
    if since is not None:
        found = found.filter(resolved_at__gte=since)
    return found.order_by("resolved_at", "pk").values_list("pk", "resolved_at").iterator(chunk_size=10_000)


def returned_since(project_id: int, cursor: int, limit: int) -> list[tuple[int, int]]:
    """(key, example) of labels that came back after the cursor and stand, in the order in which they came."""
    rows = ReturnedLabel.objects.filter(project=project_id, pk__gt=cursor, example__label__source=LabelSource.FEEDBACK)
    rows = rows.exclude(example__drift__judges=True, example__drift__released_at=None)
    return list(rows.filter(example__label__holdout=False).order_by("pk").values_list("pk", "example_id")[:limit])


def returned_count(project_id: int, cursor: int) -> int:
    """How many labels came back after the cursor and stand."""
    rows = ReturnedLabel.objects.filter(project=project_id, pk__gt=cursor, example__label__source=LabelSource.FEEDBACK)
    return rows.filter(example__label__holdout=False).count()


def returned_until(project_id: int, cursor: int) -> set[int]:
    """Examples of the labels that came back up to the cursor."""
    rows = ReturnedLabel.objects.filter(project=project_id, pk__lte=cursor)
    return set(rows.values_list("example_id", flat=True))


def labels_at(example_ids: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Label and moment of those that have one now."""
    rows = Label.objects.filter(pk__in=example_ids).values_list("pk", "label__name", "resolved_at")
    return {pk: (name, at) for pk, name, at in rows}


def labels_to_doubt(project: Project, limit: int) -> list[tuple[int, int, str]]:
    """(example, label id, source) outside the holdout, newest first. Copies are left out: one would tell the answer."""
    rows = Label.objects.filter(project=project, holdout=False, label__isnull=False)
    rows = rows.exclude(source=LabelSource.DUPLICATE).order_by("-resolved_at", "-pk")
    return list(rows.values_list("pk", "label_id", "source")[:limit])


def suspects_settled(project: Project) -> set[int]:
    """Examples whose doubted label somebody has looked at."""
    looked_at = [SuspectState.STANDS, SuspectState.CORRECTED]
    return set(Suspect.objects.filter(project=project, state__in=looked_at).values_list("example_id", flat=True))


def suspects_waiting(project: Project) -> int:
    return Suspect.objects.filter(project=project, state=SuspectState.OPEN).count()


def strategy_of_the_lane(project: Project) -> str:
    """The strategy that ordered the active lane as it stands by a model's doubt; empty where no model was asked."""
    frontier = Frontier.objects.filter(project=project, run_number__isnull=False).first()
    return frontier.strategy if frontier else ""


def unlabeled_sample(project: Project, size: int) -> Ids:
    """Unlabeled examples outside the holdout, drawn by a hash of their ids: the same until people answer them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM datasets_example e WHERE e.project_id = %s AND NOT e.holdout "
            "AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id) "
            "ORDER BY hashint8extended(e.id, 17) LIMIT %s",
            [project.pk, size],
        )
        return np.array([row[0] for row in cursor.fetchall()], np.int64)
