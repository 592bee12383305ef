"""The settings of one run, saved beside its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


class RecipeInvalid(ValueError):
    """The settings cannot be trained with; the message is a sentence for the person who wrote them."""


KINDS = ("incremental", "full", "fine-tune", "online")
ADAPTERS = ("lora", "all")
TASK_TYPES = ("text-classification", "image-classification", "tabular-classification")

FINE_TUNE_ALONE = frozenset(  # settings that no other kind reads
    ("adapter", "lora_rank", "encoder_learning_rate", "encoder_dropout", "encoder_layers", "max_length")
)

# Least and largest value that is not absurd. The widest head of 4,096 still trains on two cores.
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "epochs": (1, 1000),
    "least_steps": (0, 1_000_000),
    "batch_size": (1, 65536),
    "learning_rate": (1e-7, 1.0),
    "weight_decay": (0, 1.0),
    "label_smoothing": (0, 0.5),
    "clip_norm": (1e-3, 1000),
    "hidden": (0, 4096),
    "dropout": (0, 0.9),
    "replay_size": (0, 10_000_000),
    "shrink": (0, 1),
    "perturb": (0, 1),
    "validation_share": (0, 0.5),
    "patience": (1, 1000),
    "accumulate": (1, 4096),
    "lora_rank": (1, 256),
    "encoder_learning_rate": (1e-8, 1e-2),
    "encoder_dropout": (0, 0.9),
    "encoder_layers": (1, 6),
    "max_length": (8, 512),
    "report_every_s": (0, 3600),
    "checkpoint_every_s": (0, 86400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a run, apart from its rows. `replay_size` is for the caller; see `replay.choose`."""

    task_type: str
    kind: str = "full"
    encoder: str = ""  # whose vectors the rows are; empty where the model reads the payload itself
    seed: int = 0
    epochs: int = 20
    least_steps: int = 200  # more epochs than said where the rows are too few to make as many steps
    batch_size: int = 128
    learning_rate: float = 2e-3  # the peak, after a warm-up of a tenth of the steps
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    clip_norm: float = 1.0
    hidden: int = 256  # width of the layer before the head; 0 is a linear model (text only)
    dropout: float = 0.3
    replay_size: int = 1000  # old rows that an incremental run sees beside the new ones
    shrink: float = 1.0  # Ash and Adams 2020: warm weights times shrink, plus noise of deviation perturb
    perturb: float = 0.0
    validation_share: float = 0.1  # of the training rows, for early stopping and temperature
    patience: int = 8  # epochs without a better validation loss
    accumulate: int = 1  # parts that a batch is computed in; more need less memory and learn the same
    adapter: str = "lora"  # what a fine-tune changes of the encoder: small matrices beside its own, or "all" of it
    lora_rank: int = 16
    encoder_learning_rate: float = 5e-4  # the peak, of the encoder alone
    encoder_dropout: float = 0.1
    encoder_layers: int = 6  # the first so many are kept; fewer are faster and coarser
    max_length: int = 256  # tokens of a text that are read
    report_every_s: float = 0.25  # a run of two seconds still shows a curve
    checkpoint_every_s: float = 30.0

    def __post_init__(self) -> None:
        if self.task_type not in TASK_TYPES:
            raise RecipeInvalid(f"No task type is called {self.task_type!r}. Known: {', '.join(TASK_TYPES)}.")
        if self.kind not in KINDS:
            raise RecipeInvalid(f"A run is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {self.kind!r}.")
        if self.adapter not in ADAPTERS:
            raise RecipeInvalid(f"adapter is {' or '.join(ADAPTERS)}, not {self.adapter!r}.")
        for name, (low, high) in RANGES.items():
            _within(name, getattr(self, name), low, high)

    @classmethod
    def for_task(cls, task_type: str, kind: str = "full", **overrides: Any) -> Self:
        """Good defaults for a task type; settings chosen on the training rows of public sets only."""
        if task_type not in TASK_TYPES:
            raise RecipeInvalid(f"No task type is called {task_type!r}. Known: {', '.join(TASK_TYPES)}.")
        settings = dict(DEFAULTS[task_type])
        if kind == "incremental":
            settings |= INCREMENTAL[task_type]
        if kind == "fine-tune":
            settings |= FINE_TUNE | (FINE_TUNE_ALL if overrides.get("adapter") == "all" else {})
        return cls.from_dict({**settings, **overrides, "task_type": task_type, "kind": kind})

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Raises RecipeInvalid for a key that is not a setting, a missing task type, or an absurd value."""
        known = [field.name for field in fields(cls)]
        strange = sorted(set(settings) - set(known))
        if strange:
            raise RecipeInvalid(f"A recipe has no setting called {', '.join(strange)}. Known: {', '.join(known)}.")
        if "task_type" not in settings:
            raise RecipeInvalid("A recipe needs a task type.")
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _within(name: str, value: object, low: float, high: float) -> None:
    whole = Recipe.__annotations__[name] is int
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise RecipeInvalid(f"{name} must be a {'whole ' if whole else ''}number, not {value!r}.")
    if not low <= value <= high:  # also refuses NaN
        raise RecipeInvalid(f"{name} must lie between {low:g} and {high:g}, not {value:g}.")


DEFAULTS: dict[str, dict[str, Any]] = {
    "text-classification": {
        "hidden": 512,
        "dropout": 0.5,
        "learning_rate": 4e-3,
        "epochs": 15,
        "batch_size": 256,
        "patience": 15,
    },
    "image-classification": {"hidden": 128, "dropout": 0.3, "learning_rate": 2e-3, "epochs": 30, "batch_size": 64},
    "tabular-classification": {
        "hidden": 128,
        "dropout": 0.2,
        "learning_rate": 2e-3,
        "epochs": 15,
        "batch_size": 256,
        "label_smoothing": 0.0,
    },
}
INCREMENTAL: dict[str, dict[str, Any]] = {
    "text-classification": {
        "epochs": 4,
        "least_steps": 32,
        "learning_rate": 1e-3,
        "patience": 3,
        "shrink": 0.9,
        "perturb": 0.001,
        "replay_size": 2000,
    },
    "image-classification": {
        "epochs": 6,
        "least_steps": 100,
        "learning_rate": 1e-3,
        "patience": 3,
        "shrink": 0.9,
        "perturb": 0.001,
    },
    "tabular-classification": {
        "epochs": 4,
        "least_steps": 100,
        "learning_rate": 5e-4,
        "patience": 3,
        "shrink": 0.9,
        "perturb": 0.001,
    },
}
FINE_TUNE: dict[str, Any] = {  # of texts, the only ones whose encoder has weights
    "epochs": 4,
    "least_steps": 0,
    "batch_size": 32,
    "learning_rate": 2e-3,
    "hidden": 256,
    "dropout": 0.1,
    "patience": 2,
    "report_every_s": 2.0,
}
FINE_TUNE_ALL: dict[str, Any] = {"encoder_learning_rate": 5e-5}  # all weights want a tenth of what adapters bear
