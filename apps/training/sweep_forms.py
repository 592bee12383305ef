"""The form that starts a sweep: one line a setting, filled in with what is worth trying."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from apps.rules.sweeps import DEFAULT_SPACE, DEFAULT_TRIALS, SETTINGS, TRIALS, Span

TITLES = {
    "learning_rate": gettext_lazy("Learning rate"),
    "weight_decay": gettext_lazy("Weight decay"),
    "dropout": gettext_lazy("Dropout"),
    "label_smoothing": gettext_lazy("Label smoothing"),
    "hidden": gettext_lazy("Hidden width"),
    "batch_size": gettext_lazy("Batch size"),
    "epochs": gettext_lazy("Epochs"),
    "clip_norm": gettext_lazy("Gradient norm, at most"),
}
SPARE: dict[str, Span] = {  # filled in for settings that are off at first
    "label_smoothing": Span(0.0, 0.2),
    "batch_size": Span(32, 512, log=True),
    "epochs": Span(5, 40),
    "clip_norm": Span(0.1, 10.0, log=True),
}


class SweepForm(forms.Form):
    trials = forms.IntegerField(min_value=TRIALS[0], max_value=TRIALS[1], initial=DEFAULT_TRIALS)
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=0)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        for name, bounds in SETTINGS.items():
            span = DEFAULT_SPACE.get(name) or SPARE[name]
            number = forms.IntegerField if bounds.whole else forms.FloatField
            title = TITLES[name]
            self.fields[f"{name}_on"] = forms.BooleanField(
                required=False, initial=name in DEFAULT_SPACE, label=str(title)
            )
            for end, value in (("low", span.low), ("high", span.high)):
                words = (gettext("{setting}, from") if end == "low" else gettext("{setting}, to")).format(setting=title)
                attributes = {"class": "input", "aria-label": words, "step": "any" if not bounds.whole else "1"}
                self.fields[f"{name}_{end}"] = number(
                    required=False,
                    initial=int(value) if bounds.whole else value,
                    widget=forms.NumberInput(attrs=attributes),
                )
            words = gettext("{setting}, logarithmic").format(setting=title)
            self.fields[f"{name}_log"] = forms.BooleanField(
                required=False, initial=span.log, widget=forms.CheckboxInput(attrs={"aria-label": words})
            )

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Each setting with its four fields, for the page."""
        for name in SETTINGS:
            yield {
                "name": name,
                "title": TITLES[name],
                **{end: self[f"{name}_{end}"] for end in ("on", "low", "high", "log")},
            }

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for name in SETTINGS:
            for end in ("low", "high"):
                if (
                    found.get(f"{name}_on")
                    and found.get(f"{name}_{end}") is None
                    and f"{name}_{end}" not in self.errors
                ):
                    self.add_error(f"{name}_{end}", gettext("Fill in a number, or take the setting out."))
        return found

    def space(self) -> dict[str, Span]:
        """What the person chose, once the form is valid."""
        given = self.cleaned_data
        return {
            name: Span(given[f"{name}_low"], given[f"{name}_high"], log=given[f"{name}_log"])
            for name in SETTINGS
            if given[f"{name}_on"]
        }
