"""The projects that `bench serve` asks about: one a payload kind, with a champion, and a canary that half of who asks meets."""

import base64
import json
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.utils import timezone

from apps.integrations import wiring
from apps.projects.models import Project
from apps.releases.models import ModelVersion, PromotionKind, Rollout, RolloutPhase
from apps.releases.services import champion_now, champion_set
from apps.training.models import Run
from tests import digits
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle, dump

BODIES = 512  # questions of each kind, each by another entity
NAMES = ("account", "balance", "card", "rate", "limit", "transfer", "refund", "identity")


@dataclass(frozen=True)
class ServedProject:
    """`bare` is the champion's file, `bodies` are questions in the words of the Open Inference Protocol v2."""

    project: Project
    versions: tuple[ModelVersion, ModelVersion]
    bare: Path
    bodies: tuple[str, ...]


def served_projects(home: Path) -> dict[str, ServedProject]:
    from apps.accounts.models import User
    from apps.loop.setup.services import project_open
    from apps.projects.services import LabelSpec
    from tests.rows import labeled, model

    boss = User.objects.create(username="mona", is_superuser=True)
    draws, made = np.random.default_rng(1), dict[str, ServedProject]()
    for name, task in (
        ("digits", "image-classification"),
        ("text", "text-classification"),
        ("tabular", "tabular-classification"),
    ):
        labels = [LabelSpec(str(k)) for k in range(10)]
        project = project_open(name=name, task_type=task, labels=labels, by=boss, at=timezone.now())
        labeled(project)
        rows, bodies = questions(name, draws)
        first = with_weights(model(project), task, rows, seed=1)
        champion_set(project, first, None, PromotionKind.PROMOTE, "", boss, timezone.now())
        second = with_weights(model(project, base=first.run), task, rows, seed=2)
        on_its_way(project, first, second)
        bare = home / f"{name}.safetensors"
        bare.write_bytes(wiring.storage().read(first.run.artifact_url))
        made[name] = ServedProject(project, (first, second), bare, bodies)
    return made


def with_weights(version: ModelVersion, task: str, rows: list[Any], *, seed: int) -> ModelVersion:
    """Weights as they are drawn: what they say costs as much as what trained ones say."""
    learner = learner_named(task)
    torch.manual_seed(seed)
    learned = np.zeros((4, 384), np.float32) if learner.reads_vectors else rows
    fitted, recipe = learner.input.fit(learned), learner.recipe("full", encoder=learner.first_encoder)
    bundle = Bundle(tuple(map(str, range(10))), recipe, fitted, fitted.network(recipe, 10).eval())
    content = dump(bundle)
    url = wiring.storage().write(f"bench/{version.project_id}-{version.number}.safetensors", content)
    Run.objects.filter(pk=version.run_id).update(artifact_url=url, weights_digest=sha256(content).hexdigest())
    return ModelVersion.objects.select_related("run").get(pk=version.pk)


def on_its_way(project: Project, stable: ModelVersion, version: ModelVersion) -> None:
    """A rollout that waits at 50 %, so that both arms answer for as long as the bench asks."""
    at = timezone.now()
    Rollout.objects.create(
        project=project,
        version=version,
        stable=stable,
        policy={"steps": [{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}]},
        phase=RolloutPhase.PAUSED,
        step=1,
        step_since=at,
        weight=50,
        salt=secrets.token_hex(8),
        started_at=at,
    )


def crown(project: Project, version: ModelVersion) -> None:
    champion_set(project, version, champion_now(project), PromotionKind.PROMOTE, "", None, timezone.now())


def questions(name: str, draws: np.random.Generator) -> tuple[list[Any], tuple[str, ...]]:
    """Rows to fit on, and the requests of one row each."""
    if name == "digits":
        rows: list[Any] = [image for image, _ in digits.all_digits()[:BODIES]]
        inputs = [[_input("image", base64.b64encode(row).decode())] for row in rows]
    elif name == "text":
        rows = [" ".join(draws.choice(NAMES, size=12)) for _ in range(BODIES)]
        inputs = [[_input("text", row)] for row in rows]
    else:
        rows = [
            {f"n{k}": round(float(v), 3) for k, v in enumerate(draws.normal(size=10))}
            | {f"c{k}": str(draws.choice(NAMES)) for k in range(4)}
            for _ in range(BODIES)
        ]
        inputs = [[_input(key, value) for key, value in row.items()] for row in rows]
    bodies = [{"inputs": each, "parameters": {"entity": f"user {k}"}} for k, each in enumerate(inputs)]
    return rows, tuple(json.dumps(body) for body in bodies)


def _input(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
