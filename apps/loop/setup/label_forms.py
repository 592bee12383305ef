"""Forms that change a label or the project's name."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.projects.models import SchemaLabel
from apps.projects.schema import MOST_DESCRIPTION, LabelChange
from apps.rules.values import MOST_NAME


class LabelForm(forms.Form):
    name = forms.CharField(max_length=MOST_NAME)
    color = forms.CharField(max_length=7, widget=forms.TextInput(attrs={"type": "color"}))
    hotkey = forms.CharField(
        max_length=1, required=False, help_text=_("One letter from A to Z or one digit; Z, X and G are the desk’s own.")
    )
    description = forms.CharField(
        max_length=MOST_DESCRIPTION,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it means, in a sentence or two. Annotators see it on the desk."),
    )
    place = forms.IntegerField(min_value=1, help_text=_("Where it stands among the labels; the others move up."))

    @classmethod
    def of(cls, label: SchemaLabel, place: int) -> "LabelForm":
        """Filled with what the label is now."""
        names = ("name", "color", "hotkey", "description")
        return cls(initial={name: getattr(label, name) for name in names} | {"place": place})

    def change(self) -> LabelChange:
        given: dict[str, Any] = self.cleaned_data
        return LabelChange(**given)


class RenameForm(forms.Form):
    name = forms.CharField(max_length=MOST_NAME)
