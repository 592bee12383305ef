"""Forms of rollouts."""

from django import forms
from django.utils.translation import gettext_lazy

from apps.rules.rollouts.policy import MOST_TEXT


class StopForm(forms.Form):
    """Why: needed to skip steps, welcome when aborting."""

    reason = forms.CharField(required=False, max_length=400)


class ReleasePolicyForm(forms.Form):
    policy = forms.CharField(
        max_length=MOST_TEXT,
        label=gettext_lazy("Steps"),
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "false"}),
    )
