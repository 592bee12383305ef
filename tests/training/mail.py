"""Texts of two kinds, and a fine-tune that is small enough for a test: the installed encoder's first layer alone."""

from typing import Any

import numpy as np

from apps.rules.encoders import tuned_name
from workers.training.learners.text_choice import TEXT_CHOICE
from workers.training.recipes import FineTuneRecipe

NAMES = ("ham", "spam")
WORDS = (
    ["lunch", "home", "mother", "weather", "garden", "evening"],
    ["win", "prize", "cash", "click", "offer", "winner"],
)


def mail(n: int, seed: int = 0) -> tuple[list[str], list[int]]:
    rng = np.random.default_rng(seed)
    targets = [i % 2 for i in range(n)]
    return [f"{' '.join(rng.choice(WORDS[kind], 4))} {i}" for i, kind in enumerate(targets)], targets


def small(run_id: int = 1, **settings: Any) -> FineTuneRecipe:
    chosen = {
        "encoder": tuned_name(run_id),
        "encoder_layers": 1,
        "epochs": 2,
        "batch_size": 16,
        "hidden": 16,
        "lora_rank": 4,
        "report_every_s": 0.0,
        **settings,
    }
    return TEXT_CHOICE.recipe_of(FineTuneRecipe, **chosen)
