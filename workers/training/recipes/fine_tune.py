"""Recipe of a text encoder that learns together with its head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workers.training.recipes.heads import SteppedRecipe
from workers.training.recipes.recipe import one_of, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneRecipe(SteppedRecipe):
    """`encoder` is the name that the new encoder gets."""

    kind: ClassVar[str] = "fine-tune"

    adapter: str = one_of("lora", ("lora", "all"))  # small matrices beside the encoder's own, or all of it
    lora_rank: int = setting(16, 1, 256)
    encoder_learning_rate: float = setting(5e-4, 1e-8, 1e-2)  # the peak, of the encoder alone
    encoder_dropout: float = setting(0.1, 0, 0.9)
    encoder_layers: int = setting(6, 1, 6)  # the first so many are kept; fewer are faster and coarser
    max_length: int = setting(256, 8, 512)  # tokens of a text that are read

    @classmethod
    def following(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """All weights want a tenth of what adapters bear."""
        return {"encoder_learning_rate": 5e-5} if settings.get("adapter") == "all" else {}
