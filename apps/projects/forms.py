"""Forms of projects: making one, its labels, guidelines, queue and members."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.projects import task_types
from apps.projects.encoders import encoder_of, encoders_for
from apps.projects.models import LANE_WEIGHTS, Project
from apps.projects.roles import Role
from apps.projects.services import LANES, MOST_OVERLAP, LabelSpec
from apps.rules.acquisition import DEFAULT, STRATEGIES

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_GUIDELINES = 100_000  # characters


def strategies() -> list[tuple[str, str]]:
    """The default first."""
    return [(s.name, s.title) for s in sorted(STRATEGIES.values(), key=lambda s: s.name != DEFAULT)]


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
            raise ValidationError(f"Line {number}: “{color}” is not a color. Write it as #2a78d6.")
        if len(keys) > 1 or any(len(key) != 1 or not key.isascii() or not key.isalnum() for key in keys):
            raise ValidationError(f"Line {number}: write it as name | #color | key, the key one letter or digit.")
        found.append(LabelSpec(parts[0], color.lower(), keys[0] if keys else ""))
    return found


class LabelsForm(forms.Form):
    labels = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One a line. A color and a key may follow: ham | #2a78d6 | H. What you leave out is chosen for you.",
    )

    def clean_labels(self) -> list[LabelSpec]:
        return labels_from(self.cleaned_data["labels"])


class ProjectForm(LabelsForm):
    name = forms.CharField(max_length=80)
    task_type = forms.ChoiceField(choices=task_types.choices, widget=forms.RadioSelect)
    guidelines = forms.CharField(required=False, max_length=MAX_GUIDELINES, widget=forms.Textarea(attrs={"rows": 8}))
    holdout_percent = forms.FloatField(min_value=1, max_value=50, initial=5)
    overlap = forms.IntegerField(min_value=1, max_value=MOST_OVERLAP, initial=1)

    def clean_labels(self) -> list[LabelSpec]:
        labels = super().clean_labels()
        if len(labels) < 2:
            raise ValidationError("A model needs at least two labels to choose from.")
        return labels


class GuidelinesForm(forms.Form):
    text = forms.CharField(
        required=False, strip=False, max_length=MAX_GUIDELINES, widget=forms.Textarea(attrs={"rows": 14}),
        help_text="Markdown. Every save is a new version; each answer remembers the one it was given under.",
    )  # fmt: skip

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class QueueForm(forms.Form):
    strategy = forms.ChoiceField(choices=strategies)
    overlap = forms.IntegerField(min_value=1, max_value=MOST_OVERLAP)
    encoder = forms.ChoiceField(required=False)
    active = forms.IntegerField(min_value=0, max_value=100)
    random = forms.IntegerField(min_value=0, max_value=100)
    holdout = forms.IntegerField(min_value=0, max_value=100)
    audit = forms.IntegerField(min_value=0, max_value=100, initial=LANE_WEIGHTS["audit"])

    def __init__(self, project: Project, given: Any = None) -> None:
        kept = {"strategy": project.strategy, "overlap": project.overlap, "encoder": encoder_of(project)}
        super().__init__(given, initial={**kept, **project.lane_weights})
        choices = [(name, title) for name, title in encoders_for(project.task_type).items()]
        encoder = self.fields["encoder"]
        assert isinstance(encoder, forms.ChoiceField)
        encoder.choices = choices

    def lane_weights(self) -> dict[str, int]:
        values: dict[str, Any] = self.cleaned_data
        return {lane: values[lane] for lane in LANES}


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices)
