"""Forms of training."""

from django import forms

from apps.training.models import RunKind


class TriggerForm(forms.Form):
    enabled = forms.BooleanField(required=False)
    new_labels = forms.IntegerField(min_value=1, max_value=1_000_000)
    debounce_s = forms.IntegerField(min_value=0, max_value=86_400)
    kind = forms.ChoiceField(choices=RunKind.choices)
