"""Model files of the tests: small networks with weights as they are drawn."""

from hashlib import sha256
from typing import Any

import torch

from apps.integrations import wiring
from apps.releases.models import ModelVersion
from apps.training.models import Run
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle, dump


def bundle_of(task: str, rows: Any, hidden: int = 32) -> Bundle:
    learner = learner_named(task)
    torch.manual_seed(1)
    fitted = learner.input.fit(rows)
    encoder = "all-minilm-l6-v2" if learner.reads_vectors else ""
    recipe = learner.recipe("full", hidden=hidden, encoder=encoder)
    network = fitted.network(recipe, 2)
    for name, buffer in network.named_buffers():  # as after some training
        if "running" in name:
            buffer.copy_(torch.rand_like(buffer) * 0.1 + (0.5 if "var" in name else -0.1))
    return Bundle(("bad", "good"), recipe, fitted, network.eval(), 1.7)


def with_file(version: ModelVersion, bundle: Bundle) -> ModelVersion:
    """The version with the bundle as the file that its run kept."""
    content = dump(bundle)
    url = wiring.storage().write(f"models/{version.project_id}/v{version.number}.safetensors", content)
    Run.objects.filter(pk=version.run.pk).update(artifact_url=url, weights_digest=sha256(content).hexdigest())
    return ModelVersion.objects.get(pk=version.pk)
