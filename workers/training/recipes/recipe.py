"""The settings of one run, saved beside its weights: what all kinds share, and how a saved one is read."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, ClassVar, Self


class RecipeInvalid(ValueError):
    """The settings cannot be trained with; the message is a sentence for the person who wrote them."""


def setting(default: Any, low: float, high: float) -> Any:
    """A number with the least and the largest value that is not absurd."""
    return field(default=default, metadata={"between": (low, high)})


def one_of(default: str, words: Sequence[str]) -> Any:
    return field(default=default, metadata={"among": tuple(words)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a run, apart from its rows. A kind of run is a subclass with settings of its own."""

    kind: ClassVar[str] = ""  # as saved

    task_type: str  # what the learner is called in saved recipes: `Learner.saved_as`
    encoder: str = ""  # whose vectors the rows are; empty where the model reads the payload itself
    seed: int = setting(0, 0, 2**32 - 1)
    epochs: int = setting(20, 1, 1000)
    batch_size: int = setting(128, 1, 65536)
    learning_rate: float = setting(2e-3, 1e-7, 1.0)  # the peak, after a warm-up of a tenth of the steps
    hidden: int = setting(256, 0, 4096)  # width of the layer before the head; 0 is a linear model (text only)
    dropout: float = setting(0.3, 0, 0.9)

    def __post_init__(self) -> None:
        for each in fields(self):
            checked(each, getattr(self, each.name))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(each.name for each in fields(cls))

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with the settings of the other kinds that release 0.1 wrote into each recipe: model files, the names of
        checkpoints and comparisons between runs are those of before."""
        return {**WRITTEN_BY_0_1, **asdict(self), "kind": self.kind}

    @classmethod
    def following(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that depend on what was asked for."""
        return {}

    @classmethod
    def from_own(cls, settings: Mapping[str, Any]) -> Self:
        """What this kind reads of settings that were checked."""
        return cls(**{name: value for name, value in settings.items() if name in cls.names()})


def checked(described: Field[Any], value: object) -> None:
    """Raises RecipeInvalid where a setting has a value that it cannot have."""
    name, bounds = described.name, described.metadata
    if "among" in bounds and value not in bounds["among"]:
        raise RecipeInvalid(f"{name} is {' or '.join(bounds['among'])}, not {value!r}.")
    if "between" not in bounds:
        return
    whole = described.type is int
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise RecipeInvalid(f"{name} must be a {'whole ' if whole else ''}number, not {value!r}.")
    low, high = bounds["between"]
    if not low <= value <= high:  # also refuses NaN
        raise RecipeInvalid(f"{name} must lie between {low:g} and {high:g}, not {value:g}.")


WRITTEN_BY_0_1: dict[str, Any] = {
    "least_steps": 200,
    "weight_decay": 1e-2,
    "label_smoothing": 0.1,
    "clip_norm": 1.0,
    "replay_size": 1000,
    "shrink": 1.0,
    "perturb": 0.0,
    "validation_share": 0.1,
    "patience": 8,
    "accumulate": 1,
    "adapter": "lora",
    "lora_rank": 16,
    "encoder_learning_rate": 5e-4,
    "encoder_dropout": 0.1,
    "encoder_layers": 6,
    "max_length": 256,
    "report_every_s": 0.25,
    "checkpoint_every_s": 30.0,
}
