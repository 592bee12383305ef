"""Which settings of a recipe a person may change, by kind of run, and between which values."""

from collections.abc import Mapping, Sequence

from apps.rules.sentences import sentence
from apps.rules.sweeps import SETTINGS, Bounds
from apps.rules.values import ValueRefused, shown

Value = int | float | str

# As in the recipes, which know torch and are therefore out of the web's reach; a test holds the two together.
STEPPED: dict[str, Bounds | tuple[str, ...]] = {
    "epochs": SETTINGS["epochs"],
    "batch_size": SETTINGS["batch_size"],
    "learning_rate": SETTINGS["learning_rate"],
    "hidden": SETTINGS["hidden"],
    "dropout": SETTINGS["dropout"],
    "weight_decay": SETTINGS["weight_decay"],
    "label_smoothing": SETTINGS["label_smoothing"],
    "clip_norm": SETTINGS["clip_norm"],
    "least_steps": Bounds(0, 1_000_000, whole=True),
    "validation_share": Bounds(0, 0.5),
    "patience": Bounds(1, 1000, whole=True),
    "accumulate": Bounds(1, 4096, whole=True),
}
OWN: dict[str, dict[str, Bounds | tuple[str, ...]]] = {  # of one kind alone
    "full": {},
    "incremental": {"replay_size": Bounds(0, 10_000_000, whole=True), "shrink": Bounds(0, 1), "perturb": Bounds(0, 1)},
    "fine-tune": {
        "adapter": ("lora", "all"),
        "lora_rank": Bounds(1, 256, whole=True),
        "encoder_learning_rate": Bounds(1e-8, 1e-2),
        "encoder_dropout": Bounds(0, 0.9),
        "encoder_layers": Bounds(1, 6, whole=True),
        "max_length": Bounds(8, 512, whole=True),
    },
}
OF_KIND = {kind: {**STEPPED, **own} for kind, own in OWN.items()}


def _either(words: Sequence[str]) -> str:
    """
    >>> _either(("lora", "all")), _either(("a", "b", "c")), _either(("a",))
    ('lora or all', 'a, b or c', 'a')
    """
    *some, last = words
    return sentence("{first} or {second}", first=", ".join(some), second=last) if some else last


def setting_of(kind: str, name: str, value: object) -> Value:
    """The value as a recipe holds it. Raises ValueRefused for a setting the kind has not, and a value it cannot have.

    >>> setting_of("full", "epochs", 20.0)
    20
    """
    bounds = OF_KIND[kind].get(name)
    if bounds is None:
        raise ValueRefused(
            sentence(
                "“{value}” is no setting of this kind of run. Known are {known}.",
                value=shown(name),
                known=", ".join(OF_KIND[kind]),
            )
        )
    if isinstance(bounds, tuple):
        if value not in bounds:
            raise ValueRefused(
                sentence(
                    "“{name}” is {choices}, not “{value}”.", name=name, choices=_either(bounds), value=shown(value)
                )
            )
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueRefused(sentence("“{name}” is a number, not “{value}”.", name=name, value=shown(value)))
    if not bounds.low <= value <= bounds.high:  # also refuses NaN
        raise ValueRefused(
            sentence(
                "“{name}” lies between {low:g} and {high:g}, not at {value}.",
                name=name,
                low=bounds.low,
                high=bounds.high,
                value=shown(value),
            )
        )
    if bounds.whole and value % 1:
        raise ValueRefused(sentence("“{name}” is a whole number, not {value}.", name=name, value=shown(value)))
    return int(value) if bounds.whole else value


def settings_of(kind: str, of_kind: str, recipe: Mapping[str, Value]) -> dict[str, Value]:
    """What a run of `kind` takes over of a recipe of a run of `of_kind`: saved recipes hold other kinds' settings too.

    >>> settings_of("full", "full", {"epochs": 5, "shrink": 1.0, "task_type": "text"})
    {'epochs': 5}
    """
    names = OF_KIND[kind] if kind == of_kind else STEPPED
    return {name: recipe[name] for name in names if recipe.get(name) is not None}
