"""What a run is trained on and from: whose vectors, which base, which rows. Decided here, read and fitted by the worker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext

from apps.datasets.versions import VersionRow, version_rows
from apps.features.selectors import made_by_runs
from apps.features.shards import encoder_covers
from apps.loop.services.encoders import encoder_of_run, encoder_wanted
from apps.pages.words import counted
from apps.projects import task_types
from apps.rules import replay
from apps.rules.encoders import tuned_name
from apps.training.models import Run, RunKind, RunState

LEARNS_AS: dict[str, str] = {RunKind.SWEEP: RunKind.FULL}  # the best trial's recipe, from scratch


class LabelsUnknown(ValueError):
    """The data names labels that the schema does not have; the message is kept with the run."""


@dataclass(frozen=True)
class TrainingRows:
    """The rows to train on and how many of them are new to the base."""

    rows: list[VersionRow]
    new: int
    weights: list[float] | None = None  # of these rows in the loss; None where all count alike


def settings_of(run: Run) -> dict[str, Any]:
    """What differs from the kind's defaults: asked for, suggested by a sweep, or bound when the run was first taken."""
    return {name: value for name, value in run.recipe.items() if name not in ("task_type", "kind")}


def labels_checked(rows: Sequence[VersionRow], names: Sequence[str]) -> None:
    """Raises LabelsUnknown."""
    strange = sorted({row.label for row in rows} - set(names))
    if strange:
        raise LabelsUnknown(
            gettext(
                "The data names {labels} that the schema does not have: {names}. Start a run on the labels as they stand."
            ).format(labels=counted(len(strange), "label"), names=", ".join(strange[:5]))
        )


def encoder_for(run: Run, rows: Sequence[VersionRow]) -> str:
    """Whose vectors the run reads: the project's, once they cover every labeled example; until then those of before.

    A run taken over from a dead worker keeps the encoder it began with, so that its checkpoint fits. A fine-tune makes
    its own; a reproduction makes the same again. Empty where the task's models read payloads.
    """
    project = run.project
    if run.kind == RunKind.FINE_TUNE:
        return tuned_name(run.reproduces_id or run.pk)
    if not task_types.get(project.task_type).reads_vectors:
        return ""
    if run.recipe.get("encoder"):
        return str(run.recipe["encoder"])
    wanted = encoder_wanted(project)
    before = Run.objects.filter(project=project, state=RunState.COMPLETED).order_by("-number").first()
    if before is None or encoder_of_run(before) == wanted or made_by_runs(wanted, encoder_of_run(before)):
        return wanted  # a fine-tuned encoder begins to be used with its promotion, not because a run was last
    covers = encoder_covers(project.pk, wanted, np.array([r.example_id for r in rows], np.int64))
    return wanted if covers else encoder_of_run(before)


def base_for(run: Run, encoder: str, encoder_of_base: Callable[[Run], str]) -> tuple[Run | None, str]:
    """The run to start from; or none and, in a sentence, why an incremental run is made full."""
    if run.base_run is None or run.kind != RunKind.INCREMENTAL:
        return None, ""
    if encoder_of_base(run.base_run) == encoder:
        return run.base_run, ""
    return None, f"in full: {run.base_run} reads other vectors than {encoder}"


def chosen_for(
    run: Run,
    rows: list[VersionRow],
    *,
    replayed: int | None,
    seed: int,
    names: Sequence[str],
    counting: Mapping[int, float] | None = None,
) -> TrainingRows:
    """Incremental: what the base has not seen, and `replayed` rows of the rest, so that it does not forget them.

    A run that is not incremental replays None. `counting` is by example how much its label counts, 1 where it is not named; 0
    leaves it out.
    """
    counts = dict(counting or {})
    rows = [r for r in rows if counts.get(r.example_id, 1.0) > 0]
    weights = [counts.get(r.example_id, 1.0) for r in rows]
    weighed = any(weight != 1.0 for weight in weights)
    if replayed is None or run.base_run is None or run.base_run.dataset_version is None:
        return TrainingRows(rows, len(rows), weights if weighed else None)
    seen = {(r.example_id, r.label) for r in version_rows(run.base_run.dataset_version)}
    new = [r for r in rows if (r.example_id, r.label) not in seen]
    old = [r for r in rows if (r.example_id, r.label) in seen]
    if not old:
        return TrainingRows(new, len(new))
    if weighed:
        kept, left = replay.drawn(np.array([counts.get(r.example_id, 1.0) for r in old]), replayed, seed)
        fresh = [counts.get(r.example_id, 1.0) for r in new]
        return TrainingRows([*new, *(old[int(i)] for i in kept)], len(new), [*fresh, *left.tolist()])
    place = {name: i for i, name in enumerate(names)}
    kept = replay.choose([place[r.label] for r in old], replayed, seed)
    return TrainingRows([*new, *(old[int(i)] for i in kept)], len(new))
