"""Recipes by what they are saved as: a learner's defaults for a kind of run, and what a test wants otherwise."""

from typing import Any

from workers.training.learners import learner_named


def recipe_for(task_type: str, kind: str = "full", **settings: Any) -> Any:
    return learner_named(task_type).recipe(kind, **settings)
