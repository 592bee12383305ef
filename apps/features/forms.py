"""The form that brings an encoder."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.features.services import MOST_TITLE
from apps.rules.encoders import MOST_NAME


class EncoderForm(forms.Form):
    name = forms.CharField(
        max_length=MOST_NAME,
        label=_("Name"),
        help_text=_("The key of its vectors, for good: small letters, digits, dots and hyphens."),
    )
    title = forms.CharField(
        max_length=MOST_TITLE, required=False, label=_("Title"), help_text=_("As people choose it.")
    )
    url = forms.CharField(
        max_length=400,
        label=_("Where its weights are"),
        help_text=_("A folder that the workers can read, or an address such as s3://bucket/encoder."),
    )
