"""Texts of two kinds that a hashed encoder tells apart, and how a test reads the queue's order."""

import numpy as np

from apps.datasets.models import Example
from apps.labeling.models import Frontier, FrontierItem, Lane
from apps.labeling.services.frontier import closed_ids
from apps.projects.models import Project

HASHED, MINILM = "hashed-words-256", "all-minilm-l6-v2"
WORDS = {"ham": "lunch home mother weather garden evening", "spam": "win prize cash click offer winner"}


def texts(start: int, n: int, *, labeled: bool) -> list[dict[str, str]]:
    rng, rows = np.random.default_rng(start), []
    for i in range(start, start + n):
        name = ("ham", "spam")[i % 2]
        words = (
            rng.choice(WORDS[name].split(), 4).tolist()
            + rng.choice([*WORDS["ham"].split(), *["to", "the", "of"]], 3).tolist()
        )
        rows.append({"id": f"t{i}", "text": " ".join(words) + f" {i}", **({"label": name} if labeled else {})})
    return rows


def order(project: Project) -> list[int]:
    items = FrontierItem.objects.filter(project=project, lane=Lane.ACTIVE).order_by("rank")
    return list(items.values_list("example_id", flat=True))


def frontier(project: Project) -> Frontier:
    return Frontier.objects.get(project=project)


def waiting_elsewhere(project: Project) -> set[int]:
    """What the lanes of chance hold is not in the active lane."""
    other = FrontierItem.objects.filter(project=project).exclude(lane=Lane.ACTIVE)
    return set(other.values_list("example_id", flat=True))


def pool_of(project: Project) -> set[int]:
    open_ones = Example.objects.filter(project=project, holdout=False).exclude(pk__in=closed_ids(project.pk).tolist())
    return set(open_ones.values_list("pk", flat=True))
