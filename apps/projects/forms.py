"""Forms of projects: making one, its labels, guidelines and members."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.projects import task_types
from apps.projects.roles import Role
from apps.projects.services import LabelSpec
from apps.rules.values import ValueRefused, key_of

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_GUIDELINES = 100_000  # characters


def labels_from(text: str) -> list[LabelSpec]:
    """One label a line: `name`, or `name | #color | key`. Raises ValidationError naming the line."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        color = next((p for p in parts[1:] if p.startswith("#")), "")
        keys = [p for p in parts[1:] if p and not p.startswith("#")]
        if color and not COLOR.fullmatch(color):
            raise ValidationError(
                gettext("Line {number}: “{color}” is not a color. Write it as #2a78d6.").format(
                    number=number, color=color
                )
            )
        if len(keys) > 1 or any(not _is_key(key) for key in keys):
            raise ValidationError(
                gettext("Line {number}: write it as name | #color | key, the key one letter or digit.").format(
                    number=number
                )
            )
        found.append(LabelSpec(parts[0], color.lower(), keys[0] if keys else ""))
    return found


def _is_key(given: str) -> bool:
    try:
        return bool(key_of(given))
    except ValueRefused:
        return False


class LabelsForm(forms.Form):
    labels = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line. A color and a key may follow: ham | #2a78d6 | H. What you leave out is chosen for you."
        ),
    )

    def clean_labels(self) -> list[LabelSpec]:
        return labels_from(self.cleaned_data["labels"])


class ProjectForm(LabelsForm):
    name = forms.CharField(max_length=80)
    task_type = forms.ChoiceField(choices=task_types.choices, widget=forms.RadioSelect)
    guidelines = forms.CharField(required=False, max_length=MAX_GUIDELINES, widget=forms.Textarea(attrs={"rows": 8}))
    holdout_percent = forms.FloatField(min_value=1, max_value=50, initial=5)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["labels"].required = False  # some task types bring their own

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        name = values.get("task_type")
        if name and "labels" in values:
            task = task_types.get(name)
            least = 1 if task.structured else 2
            if not task.labels and len(values["labels"]) < least:
                words = (
                    _("Name at least one label.")
                    if least == 1
                    else _("A model needs at least two labels to choose from.")
                )
                self.add_error("labels", words)
        return values


class GuidelinesForm(forms.Form):
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MAX_GUIDELINES,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "Markdown. Every save is a new version; each answer remembers the one it was given under."
        ),
    )

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices)
