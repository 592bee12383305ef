"""The form that overrides gates."""

from django import forms

from apps.evaluation.reporting.overriding import MOST_REASON


class OverrideForm(forms.Form):
    reason = forms.CharField(required=False, max_length=MOST_REASON)
