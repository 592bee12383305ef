"""The form that trains a run again with changes: filled with what the run was, field by field."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext, gettext_lazy

from apps.datasets.models import DatasetVersion
from apps.rules.recipes import OF_KIND, OWN, STEPPED
from apps.training.models import Run, RunKind, RunPriority
from apps.training.services.clones import MOST_SEED, RunCopy
from apps.training.sweep_forms import TITLES as SWEPT

TITLES = {
    **SWEPT,
    "least_steps": gettext_lazy("Steps, at least"),
    "validation_share": gettext_lazy("Share held back for early stopping"),
    "patience": gettext_lazy("Epochs without a better loss, then stop"),
    "accumulate": gettext_lazy("Parts of a batch"),
    "replay_size": gettext_lazy("Old rows seen again"),
    "shrink": gettext_lazy("Weights kept, times"),
    "perturb": gettext_lazy("Noise on the weights"),
    "adapter": gettext_lazy("What of the encoder learns"),
    "lora_rank": gettext_lazy("Rank of the adapters"),
    "encoder_learning_rate": gettext_lazy("Learning rate of the encoder"),
    "encoder_dropout": gettext_lazy("Dropout of the encoder"),
    "encoder_layers": gettext_lazy("Layers of the encoder"),
    "max_length": gettext_lazy("Tokens of a text, at most"),
}
ADAPTERS = (
    ("", gettext_lazy("as usual")),
    ("lora", gettext_lazy("small matrices beside it")),
    ("all", gettext_lazy("all of it")),
)
FIRST = 6  # settings that are seen at once; the others wait behind a fold
NEWEST = "newest"


class CloneForm(forms.Form):
    """A setting that is left empty is as usual for the kind; those of other kinds are passed over."""

    kind = forms.ChoiceField(choices=())
    base_run = forms.TypedChoiceField(choices=(), coerce=int, empty_value=None, required=False)
    dataset_version = forms.ChoiceField(choices=())
    seed = forms.IntegerField(min_value=0, max_value=MOST_SEED)
    priority = forms.TypedChoiceField(
        choices=RunPriority.choices,
        coerce=int,
        initial=RunPriority.NORMAL.value,
        required=False,
        empty_value=str(RunPriority.NORMAL.value),
    )

    def __init__(
        self,
        *given: Any,
        kinds: Sequence[RunKind],
        bases: Sequence[Run],
        versions: Sequence[DatasetVersion],
        **more: Any,
    ) -> None:
        super().__init__(*given, **more)
        self.bases = {base.pk: base for base in bases}
        self.versions = {str(version.number): version for version in versions}
        self.kinds = [kind.value for kind in kinds]
        chosen: Any = self.fields
        chosen["kind"].choices = [(kind.value, kind.label) for kind in kinds]
        none = gettext("none")
        chosen["base_run"].choices = [("", none), *((pk, _run_words(base)) for pk, base in self.bases.items())]
        chosen["dataset_version"].choices = [
            (NEWEST, gettext("the labels as they stand")),
            *((n, gettext("version {n}").format(n=n)) for n in self.versions),
        ]
        for name, bounds in {name: b for kind in self.kinds for name, b in OF_KIND[kind].items()}.items():
            if isinstance(bounds, tuple):
                self.fields[name] = forms.ChoiceField(choices=ADAPTERS, required=False, label=TITLES[name])
                continue
            number = forms.IntegerField if bounds.whole else forms.FloatField
            words = gettext("from {low:g} to {high:g}").format(low=bounds.low, high=bounds.high)
            step = forms.NumberInput(attrs={"step": "1" if bounds.whole else "any"})
            self.fields[name] = number(required=False, label=TITLES[name], help_text=words, widget=step)

    def settings(self, names: Sequence[str]) -> Iterator[BoundField]:
        for name in names:
            if name in self.fields:
                yield self[name]

    @property
    def first(self) -> Iterator[BoundField]:
        return self.settings(list(STEPPED)[:FIRST])

    @property
    def further(self) -> Iterator[BoundField]:
        return self.settings(list(STEPPED)[FIRST:])

    @property
    def incremental(self) -> Iterator[BoundField]:
        return self.settings(list(OWN["incremental"]))

    @property
    def fine_tune(self) -> Iterator[BoundField]:
        return self.settings(list(OWN["fine-tune"]) if "fine-tune" in self.kinds else [])

    def copy(self) -> RunCopy:
        """What was asked for, once the form is valid; a base is that of an incremental run alone."""
        given = self.cleaned_data
        kind = given["kind"]
        base = self.bases.get(given["base_run"]) if kind == RunKind.INCREMENTAL else None
        settings = {name: given[name] for name in OF_KIND[kind] if given.get(name) not in (None, "")}
        return RunCopy(kind, base, self.versions.get(given["dataset_version"]), given["seed"], settings)


def _run_words(run: Run) -> str:
    words = gettext("run {number}").format(number=run.number)
    return f"{words}, {run.name}" if run.name else words


def initial_of(copy: RunCopy) -> dict[str, Any]:
    """The form's first values for a copy."""
    return {
        "kind": copy.kind,
        "base_run": copy.base_run.pk if copy.base_run else "",
        "dataset_version": str(copy.dataset_version.number) if copy.dataset_version else NEWEST,
        "seed": copy.seed,
        **copy.settings,
    }
