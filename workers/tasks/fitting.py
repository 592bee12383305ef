"""Which way a run learns: a head on vectors, or the encoder too, in this process or in several."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from django.conf import settings

from apps.datasets.selectors import external_ids_of, moments_given
from apps.datasets.versions import VersionRow
from apps.projects import task_types
from apps.projects.models import Project
from workers.tasks.rows import payloads_of, rows_of
from workers.training.finetune.fine_tune import fine_tune
from workers.training.finetune.launch import Hosts, fine_tune_together
from workers.training.fit.loop import fit
from workers.training.fit.reports import FitResult, Listeners
from workers.training.fit.tables import RefitRows
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Rows
from workers.training.recipes import FineTuneRecipe, Recipe, SteppedRecipe

MOST_NAMED = 5  # examples in a sentence
MOST_REFIT = 20_000  # rows that an incremental run of a table fits trees and regression on: seconds
Fitted = Callable[[bytes | None], FitResult]


@dataclass(frozen=True)
class Material:
    """What a run is trained from; `holdout` only draws a curve. `known` are all that it may learn from, `chosen` among them."""

    project: Project
    names: list[str]
    recipe: Recipe
    chosen: list[VersionRow]
    holdout: list[VersionRow]
    known: list[VersionRow]
    base: Bundle | None = None
    weights: list[float] | None = None  # of `chosen`, in the loss; None where all count alike
    counting: Mapping[int, float] | None = None  # by example, how much its label counts where not 1

    def targets(self, rows: list[VersionRow]) -> list[int]:
        place = {name: i for i, name in enumerate(self.names)}
        return [place[row.label] for row in rows]

    def texts(self, rows: list[VersionRow]) -> list[str]:
        return payloads_of(self.project, np.array([row.example_id for row in rows], np.int64))


def fitted_by(material: Material, told: Listeners) -> Fitted:
    """Reads the rows once; what it returns trains on them from the bytes of a checkpoint, or from the start."""
    if isinstance(material.recipe, FineTuneRecipe):
        return _tuned(material, material.recipe, told)
    assert isinstance(material.recipe, SteppedRecipe), "what learns online is made into a model, not fitted"
    return _headed(material, material.recipe, told)


def _headed(found: Material, recipe: SteppedRecipe, told: Listeners) -> Fitted:
    def read(rows: list[VersionRow]) -> tuple[Rows, list[int]]:
        ids = [row.example_id for row in rows]
        return rows_of(found.project, ids, encoder=recipe.encoder), found.targets(rows)

    features, targets = read(found.chosen)
    shown = read(found.holdout) if found.holdout else None
    task = task_types.get(found.project.task_type)
    table, timed = task.payload.has_features, task.payload.has_features or task.reads_vectors
    times = moments_given([row.example_id for row in found.chosen]) if timed and found.base is None else None
    refit = refit_on(found, read, recipe.seed) if table and found.base is not None else None
    return lambda resume: fit(
        features,
        targets,
        found.names,
        recipe,
        base=found.base,
        resume=resume,
        holdout=shown,
        weights=found.weights,
        on_report=told.on_report,
        on_checkpoint=told.on_checkpoint,
        on_notice=told.on_notice,
        on_unreadable=lambda places, held: told.on_notice(left_out(found, places, held)),
        should_stop=told.should_stop,
        times=times,
        refit=refit,
    )


def refit_on(found: Material, read: Callable[[list[VersionRow]], tuple[Rows, list[int]]], seed: int) -> RefitRows:
    rows = drawn_with(found.known, found.chosen, seed)
    weights = [found.counting.get(row.example_id, 1.0) for row in rows] if found.counting else None
    return RefitRows(*read(rows), weights)


def drawn_with(known: list[VersionRow], chosen: list[VersionRow], seed: int) -> list[VersionRow]:
    """The chosen rows and, up to MOST_REFIT of them all, others drawn by chance: trees do not go on from where they were."""
    held = {row.example_id for row in chosen}
    others = [row for row in known if row.example_id not in held]
    room = max(MOST_REFIT - len(chosen), 0)
    if len(others) > room:
        others = [others[int(i)] for i in np.sort(np.random.default_rng(seed).permutation(len(others))[:room])]
    return [*chosen, *others]


def left_out(found: Material, places: list[int], held: bool) -> str:
    """A sentence for the run's log; people know their examples by the ids that they gave them."""
    example_ids = [(found.holdout if held else found.chosen)[place].example_id for place in places]
    names = list(external_ids_of(example_ids[:MOST_NAMED]).values())
    more = f" and {len(example_ids) - MOST_NAMED:,} more" if len(example_ids) > MOST_NAMED else ""
    of = "examples of the holdout" if held else "examples"
    return f"{len(example_ids):,} {of} cannot be read and are left out: {', '.join(names)}{more}"


def _tuned(found: Material, recipe: FineTuneRecipe, told: Listeners) -> Fitted:
    texts, targets = found.texts(found.chosen), found.targets(found.chosen)
    shown = (found.texts(found.holdout), found.targets(found.holdout)) if found.holdout else None
    hosts = hosts_asked()
    if hosts.world == 1:
        return lambda resume: fine_tune(
            texts, targets, found.names, recipe, resume=resume, holdout=shown, listeners=told
        )
    return lambda resume: fine_tune_together(
        texts,
        targets,
        found.names,
        recipe,
        hosts=hosts,
        folder=Path(settings.TRAIN_FOLDER),
        resume=resume,
        holdout=shown,
        listeners=told,
    )


def hosts_asked() -> Hosts:
    """As the settings say; without, a process for each GPU of this host."""
    processes = settings.TRAIN_PROCESSES or max(1, torch.cuda.device_count())
    return Hosts(processes, max(1, settings.TRAIN_NODES), settings.TRAIN_RENDEZVOUS)


def devices_of(recipe: Recipe) -> int:
    return hosts_asked().world if isinstance(recipe, FineTuneRecipe) else 1
