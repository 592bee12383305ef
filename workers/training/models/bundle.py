"""A trained model as one value, as one safetensors blob, and as probabilities."""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from workers.training.encoders.encoder import register
from workers.training.encoders.tuned import PREFIX, Tuned, TunedEncoder
from workers.training.learners import Learner, learner_named
from workers.training.models.inputs import Input, Rows
from workers.training.models.networks import Network
from workers.training.recipes import Recipe, recipe_from

FORMAT = 1


class BundleUnreadable(ValueError):
    """The bytes are not a bundle of this format."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Weights with all they need to answer. Label i is column i of the probabilities."""

    labels: tuple[str, ...]
    recipe: Recipe
    preprocessor: Input
    module: Network
    temperature: float = 1.0  # logits are divided by it (Guo et al. 2017)
    tuned: Tuned | None = None  # the encoder, where the run that made this model fine-tuned it

    @property
    def task_type(self) -> str:
        return self.recipe.task_type

    @property
    def learner(self) -> Learner:
        return learner_named(self.task_type)

    @property
    def encoder(self) -> str:
        """The encoder whose vectors the model reads, empty where it reads the payload itself."""
        return self.recipe.encoder or self.learner.first_encoder

    @property
    def reads_words(self) -> bool:
        """Whether it answers to texts otherwise than to their vectors alone."""
        return bool(getattr(self.preprocessor, "words", False))


def dump(bundle: Bundle) -> bytes:
    """One safetensors blob; everything but the tensors is JSON in its header. The same bundle gives the same bytes."""
    about = {
        "format": FORMAT,
        "labels": list(bundle.labels),
        "recipe": bundle.recipe.to_dict(),
        "preprocessor": bundle.preprocessor.to_json(),
        "temperature": bundle.temperature,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in bundle.module.state_dict().items()}
    if bundle.tuned is not None:
        about["encoder"] = bundle.tuned.about()
        tensors |= {PREFIX + name: tensor.detach().cpu().contiguous() for name, tensor in bundle.tuned.tensors.items()}
    return safetensors.torch.save(tensors, metadata={"fastloop": json.dumps(about, sort_keys=True)})


def load(blob: bytes) -> Bundle:
    """The bundle on the CPU, ready to predict. Nothing in the blob is executed. Raises BundleUnreadable.

    A fine-tuned encoder inside it is known to this process from then on.
    """
    try:
        about = _about(blob)
        tensors = safetensors.torch.load(blob)
        recipe = recipe_from(about["recipe"])
        preprocessor = learner_named(recipe.task_type).input_saved(about["preprocessor"])
        module = preprocessor.network(recipe, len(about["labels"]))
        tuned = _tuned(about, recipe, tensors)
        state = {name: value for name, value in tensors.items() if not name.startswith(PREFIX)}
        module.make_room(state)
        module.load_state_dict(state)
        bundle = Bundle(tuple(about["labels"]), recipe, preprocessor, module.eval(), float(about["temperature"]), tuned)
    except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError, struct.error) as error:
        raise BundleUnreadable(f"The model file cannot be read: {error}") from error
    if tuned is not None:
        register(tuned.name, lambda: TunedEncoder(tuned))
    return bundle


def _tuned(about: dict[str, Any], recipe: Recipe, tensors: dict[str, Tensor]) -> Tuned | None:
    if "encoder" not in about:
        return None
    if about["encoder"]["name"] != recipe.encoder:
        raise BundleUnreadable("The model file holds another encoder than the one its model reads.")
    own = {name.removeprefix(PREFIX): value for name, value in tensors.items() if name.startswith(PREFIX)}
    return Tuned.of(about["encoder"], own)


def predict(bundle: Bundle, rows: Rows, batch_size: int = 1024) -> NDArray[np.float32]:
    """Calibrated probabilities (n, classes); a row that cannot be read is a row of NaN."""
    module, device = bundle.module.eval(), next(bundle.module.parameters()).device
    out = np.zeros((len(rows), len(bundle.labels)), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            x = bundle.preprocessor.tensor(rows[start : start + batch_size]).to(device)
            found = bundle.learner.outputs.probabilities(module(x) / bundle.temperature, 1)
            out[start : start + len(x)] = found.cpu().numpy()
    return out


def _about(blob: bytes) -> dict[str, Any]:
    """Our JSON from the header: 8 bytes of length, then the header, as the safetensors format says."""
    (length,) = struct.unpack_from("<Q", blob)
    header = json.loads(blob[8 : 8 + length])
    about: dict[str, Any] = json.loads(header["__metadata__"]["fastloop"])
    if about["format"] != FORMAT:
        raise BundleUnreadable(f"The model file has format {about['format']}, this program reads {FORMAT}.")
    return about
