"""The form of online learning."""

from django import forms

from apps.training.services.online import PUBLISH_EVERY


class OnlineForm(forms.Form):
    enabled = forms.BooleanField(required=False)
    publish_every = forms.IntegerField(min_value=PUBLISH_EVERY[0], max_value=PUBLISH_EVERY[1])
