"""Everything that is known of one example, from every stage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.datasets.version_selectors import HoldingVersions, versions_holding
from apps.evaluation.selectors import HoldoutSaying, sayings_of
from apps.labeling import history
from apps.labeling.bulk.neighbors import neighbors_of
from apps.labeling.bulk.selectors import SearchHit, lines_of
from apps.labeling.history import ExampleChecks, GivenAnswer, LabelLineage, OutsideGuess, WaitingSlot
from apps.monitoring.models import Prediction
from apps.monitoring.selectors import predictions_named
from apps.projects import task_types
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.projects.roles import Permission

NEAREST = 6


@dataclass(frozen=True)
class ModelSayings:
    """What models said of it: when they were judged, outside the console, and when they were asked under its id."""

    judged: tuple[HoldoutSaying, ...] = ()
    outside: tuple[OutsideGuess, ...] = ()
    served: tuple[Prediction, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.judged or self.outside or self.served)


@dataclass(frozen=True)
class ExampleStory:
    """What the page of one example shows. Whoever only labels gets their own answers and nothing of the others."""

    example: Example
    title: str
    pairs: tuple[tuple[str, Any], ...]
    text: str
    answers: tuple[GivenAnswer, ...]
    sees_all: bool
    label: LabelLineage | None = None
    checks: ExampleChecks | None = None
    waiting: tuple[WaitingSlot, ...] = ()
    versions: HoldingVersions | None = None
    sayings: ModelSayings | None = None
    nearest: tuple[SearchHit, ...] = ()


def example_story(project: Project, example_id: int, *, by: User, at: datetime) -> ExampleStory:
    """Raises NotFound or Forbidden."""
    may = permissions_of(by, project.pk)
    sees_all = Permission.VIEW_DATA in may
    example = history.example_opened(project, example_id, by=by, sees_all=sees_all)
    task = task_types.get(project.task_type)
    shown: dict[str, Any] = {
        "example": example,
        "title": task.summary(example.fields, example.external_id),
        "pairs": task.payload.pairs(example.fields),
        "text": str(example.fields.get("text", "")),
        "answers": history.answers_on(example, project, by=by, sees_all=sees_all),
        "sees_all": sees_all,
    }
    if sees_all:
        shown |= {
            "label": history.label_on(example, project),
            "checks": history.checks_on(example, project),
            "waiting": history.waiting_on(example, project, at=at),
            "versions": versions_holding(project, example.pk),
            "sayings": _sayings(example, project, may),
            "nearest": _nearest(example, project, by),
        }
    return ExampleStory(**shown)


def _sayings(example: Example, project: Project, may: frozenset[Permission]) -> ModelSayings | None:
    """None for whoever may not see models: a reviewer decides without their opinion."""
    if Permission.VIEW_RUNS not in may:
        return None
    served = predictions_named(project, example.external_id) if Permission.VIEW_MONITOR in may else []
    judged = sayings_of(project, example.pk) if example.holdout else []
    return ModelSayings(tuple(judged), history.outside_guesses_on(example, project), tuple(served))


def _nearest(example: Example, project: Project, by: User) -> tuple[SearchHit, ...]:
    found = neighbors_of(project, example.pk, count=NEAREST, without=np.empty(0, np.int64), holdout=True)
    return tuple(lines_of(project, found.ids, by=by, sees_all=True, similarities=found.similarities))
