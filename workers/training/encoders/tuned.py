"""A text encoder that was fine-tuned: its weights inside a model file, and the encoder that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from apps.rules.encoders import ENCODERS
from workers.training.encoders.encoder import SentenceEncoder

PREFIX = "encoder."  # of its tensors in the model file


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """With a scale the tensors are LoRA's pairs, which are added to the installed weights; without, all weights."""

    name: str
    layers: int  # how many of the encoder's, from the first
    max_length: int  # tokens of a text that are read
    scale: float | None
    tensors: Mapping[str, Tensor]

    def about(self) -> dict[str, Any]:
        return {"name": self.name, "layers": self.layers, "max_length": self.max_length, "scale": self.scale}

    @classmethod
    def of(cls, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Raises ValueError where the name is that of an installed encoder."""
        name, scale = str(about["name"]), about["scale"]
        if name in ENCODERS:
            raise ValueError(f"{name!r} is the name of an installed encoder, not of a fine-tuned one.")
        return cls(
            name, int(about["layers"]), int(about["max_length"]), None if scale is None else float(scale), tensors
        )

    def put_into(self, network: Any) -> None:
        """Give a fresh network of the installed weights the tuned ones. Raises KeyError, RuntimeError where they do not fit."""
        network.encoder.layer = network.encoder.layer[: self.layers]
        if self.scale is None:
            missing, strange = network.load_state_dict(dict(self.tensors), strict=False)
            if strange or any(not name.startswith("pooler.") for name in missing):
                raise RuntimeError(f"The encoder's weights do not fit: {[*missing, *strange][:3]}")
            return
        with torch.no_grad():
            for name in sorted({name.rsplit(".", 1)[0] for name in self.tensors}):
                down, up = self.tensors[f"{name}.down"], self.tensors[f"{name}.up"]
                weight = network.get_submodule(name).weight
                assert isinstance(weight, Tensor)
                weight.add_((up.float() @ down.float()).to(weight.device), alpha=self.scale)


class TunedEncoder(SentenceEncoder):
    """The installed encoder with a run's weights; what it makes of a text never mixes with another's vectors."""

    def __init__(self, tuned: Tuned) -> None:
        super().__init__()
        self.name = tuned.name
        tuned.put_into(self._network[0].auto_model)
        self._network.max_seq_length = tuned.max_length
        self._network.eval()
