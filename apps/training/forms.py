"""Forms of training."""

from typing import Any

from django import forms

from apps.training.models import asked_kinds
from apps.training.services.triggers import NEVER


class TriggerForm(forms.Form):
    """A cause that is left empty is off."""

    enabled = forms.BooleanField(required=False)
    new_labels = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
    minutes = forms.IntegerField(min_value=1, max_value=525_600, required=False)
    disagreement_points = forms.IntegerField(min_value=1, max_value=100, required=False)
    debounce_s = forms.IntegerField(min_value=0, max_value=86_400)
    kind = forms.ChoiceField(choices=asked_kinds())

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        causes = ("new_labels", "minutes", "disagreement_points")
        if found.get("enabled") and not self.errors and all(found.get(name) is None for name in causes):
            raise forms.ValidationError(NEVER)
        return found
