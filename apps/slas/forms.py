"""Forms of service levels."""

from django import forms

from apps.slas.services import LONGEST_TARGET_HOURS


class TargetForm(forms.Form):
    hours = forms.FloatField(min_value=0.1, max_value=LONGEST_TARGET_HOURS)
