"""Recipe of the learner that never stops: a linear model, one look at each row."""

from dataclasses import dataclass
from typing import ClassVar

from workers.training.recipes.recipe import Recipe, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineRecipe(Recipe):
    kind: ClassVar[str] = "online"

    epochs: int = setting(1, 1, 1)
    hidden: int = setting(0, 0, 0)
