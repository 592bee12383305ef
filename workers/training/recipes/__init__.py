"""The settings of a run, a dataclass a kind. A new kind is one more class in KINDS."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from workers.training.recipes.fine_tune import FineTuneRecipe
from workers.training.recipes.heads import FullRecipe, IncrementalRecipe, SteppedRecipe, TrialRecipe
from workers.training.recipes.online import OnlineRecipe
from workers.training.recipes.recipe import Recipe, RecipeInvalid, checked

__all__ = [
    "KINDS",
    "FineTuneRecipe",
    "FullRecipe",
    "IncrementalRecipe",
    "OnlineRecipe",
    "Recipe",
    "RecipeInvalid",
    "SteppedRecipe",
    "TrialRecipe",
    "kind_named",
    "recipe_from",
    "settings_checked",
]

KINDS: dict[str, type[Recipe]] = {
    each.kind: each for each in (IncrementalRecipe, FullRecipe, FineTuneRecipe, OnlineRecipe)
}
# Of all kinds by name; where two kinds bound a setting differently, the one that bounds it least comes last.
SETTINGS = {each.name: each for kind in reversed(KINDS.values()) for each in fields(kind)}


def kind_named(kind: str) -> type[Recipe]:
    """Raises RecipeInvalid."""
    if kind not in KINDS:
        *others, last = KINDS
        raise RecipeInvalid(f"A run is {', '.join(others)} or {last}, not {kind!r}.")
    return KINDS[kind]


def settings_checked(settings: Mapping[str, Any]) -> None:
    """Each is a setting of some kind and has a value that it can have: recipes of release 0.1 hold those of all kinds.

    Raises RecipeInvalid.
    """
    known = ["task_type", "kind", *(name for name in SETTINGS if name != "task_type")]
    strange = sorted(set(settings) - set(known))
    if strange:
        raise RecipeInvalid(f"A recipe has no setting called {', '.join(strange)}. Known: {', '.join(known)}.")
    for name in settings.keys() & SETTINGS.keys():
        checked(SETTINGS[name], settings[name])


def recipe_from(settings: Mapping[str, Any]) -> Recipe:
    """What `to_dict` wrote, in this release or in 0.1. Raises RecipeInvalid."""
    if "task_type" not in settings:
        raise RecipeInvalid("A recipe needs a task type.")
    kind = kind_named(settings.get("kind", FullRecipe.kind))
    settings_checked(settings)
    return kind.from_own(settings)
