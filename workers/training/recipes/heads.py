"""Recipes of networks that learn by steps: in full, from a base, or for a sweep."""

from dataclasses import dataclass
from typing import ClassVar

from workers.training.recipes.recipe import Recipe, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedRecipe(Recipe):
    """What `fit.steps` reads: batches, an optimizer, early stopping, reports and checkpoints."""

    least_steps: int = setting(
        200, 0, 1_000_000
    )  # more epochs than said where the rows are too few to make as many steps
    weight_decay: float = setting(1e-2, 0, 1.0)
    label_smoothing: float = setting(0.1, 0, 0.5)
    clip_norm: float = setting(1.0, 1e-3, 1000)
    validation_share: float = setting(0.1, 0, 0.5)  # of the training rows, for early stopping and temperature
    patience: int = setting(8, 1, 1000)  # epochs without a better validation loss
    accumulate: int = setting(1, 1, 4096)  # parts that a batch is computed in; more need less memory and learn the same
    report_every_s: float = setting(0.25, 0, 3600)  # a run of two seconds still shows a curve
    checkpoint_every_s: float = setting(30.0, 0, 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class FullRecipe(SteppedRecipe):
    """From nothing, on all rows."""

    kind: ClassVar[str] = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecipe(FullRecipe):
    """A full run that is judged on a slice of its own rows. Saved as the run that its settings become."""

    validation_share: float = setting(0.2, 0.01, 0.5)  # more than a run keeps: trials differ by less than epochs do


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementalRecipe(SteppedRecipe):
    """From the weights of a base, on what is new and some of the old. `replay_size` is for the caller; see `replay.choose`."""

    kind: ClassVar[str] = "incremental"

    replay_size: int = setting(1000, 0, 10_000_000)  # old rows that are seen beside the new ones
    shrink: float = setting(1.0, 0, 1)  # Ash and Adams 2020: warm weights times shrink, plus noise of deviation perturb
    perturb: float = setting(0.0, 0, 1)
