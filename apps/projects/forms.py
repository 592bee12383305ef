"""Forms of projects: making one, its labels, guidelines, queue and members."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.projects import task_types
from apps.projects.encoders import encoders_for
from apps.projects.models import LANE_WEIGHTS, ConsensusMethod, Project
from apps.projects.queue_settings import LANES, MOST_GOLD_FAILURES, MOST_OVERLAP, ONE_ANSWER_LANES, queue_settings_of
from apps.projects.roles import Role
from apps.projects.services import LabelSpec
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
            raise ValidationError(
                gettext("Line {number}: “{color}” is not a color. Write it as #2a78d6.").format(
                    number=number, color=color
                )
            )
        if len(keys) > 1 or any(len(key) != 1 or not key.isascii() or not key.isalnum() for key in keys):
            raise ValidationError(
                gettext("Line {number}: write it as name | #color | key, the key one letter or digit.").format(
                    number=number
                )
            )
        found.append(LabelSpec(parts[0], color.lower(), keys[0] if keys else ""))
    return found


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
    overlap = forms.IntegerField(min_value=1, max_value=MOST_OVERLAP, initial=1)

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


class QueueForm(forms.Form):
    strategy = forms.ChoiceField(choices=strategies)
    encoder = forms.ChoiceField(required=False)
    overlap = forms.IntegerField(min_value=1, max_value=MOST_OVERLAP)
    consensus = forms.ChoiceField(choices=ConsensusMethod.choices)
    review_percent = forms.IntegerField(min_value=0, max_value=99)
    blind_percent = forms.IntegerField(min_value=0, max_value=100)
    planted_percent = forms.IntegerField(min_value=0, max_value=100)
    gold_failures = forms.IntegerField(min_value=0, max_value=MOST_GOLD_FAILURES)
    gold_feedback = forms.BooleanField(required=False)

    def __init__(self, project: Project, given: Any = None) -> None:
        kept = queue_settings_of(project)
        initial: dict[str, Any] = {name: getattr(kept, name) for name in self.base_fields if hasattr(kept, name)}
        initial |= {f"{name}_percent": round(100 * getattr(kept, of)) for name, of in PERCENTS.items()}
        initial |= {f"weight_{lane}": kept.lane_weights[lane] for lane in LANES}
        initial |= {f"overlap_{lane}": kept.lane_overlap.get(lane, "") for lane in LANES}
        super().__init__(given, initial=initial)
        for lane in LANES:
            self.fields[f"weight_{lane}"] = forms.IntegerField(
                min_value=0, max_value=100, initial=LANE_WEIGHTS[lane], label=_("Weight")
            )
            if lane not in ONE_ANSWER_LANES:
                self.fields[f"overlap_{lane}"] = forms.IntegerField(
                    min_value=1, max_value=MOST_OVERLAP, required=False, label=_("Answers")
                )
        encoder = self.fields["encoder"]
        assert isinstance(encoder, forms.ChoiceField)
        encoder.choices = list(encoders_for(project.task_type).items())

    def lanes(self) -> list[dict[str, Any]]:
        """For the table: name, what comes there, and its two fields."""
        return [
            {
                "name": lane,
                "what": LANE_WORDS[lane],
                "weight": self[f"weight_{lane}"],
                "overlap": self[f"overlap_{lane}"] if f"overlap_{lane}" in self.fields else None,
            }
            for lane in LANES
        ]

    def settings(self) -> dict[str, Any]:
        """As `queue_settings_set` takes them."""
        values: dict[str, Any] = self.cleaned_data
        plain = ("strategy", "encoder", "overlap", "consensus", "gold_failures", "gold_feedback")
        return {
            **{name: values[name] for name in plain},
            **{of: values[f"{name}_percent"] / 100 for name, of in PERCENTS.items()},
            "lane_weights": {lane: values[f"weight_{lane}"] for lane in LANES},
            "lane_overlap": {lane: n for lane in LANES if (n := values.get(f"overlap_{lane}"))},
        }


PERCENTS = {"review": "review_at_most", "blind": "blind_share", "planted": "planted_share"}
LANE_WORDS = {
    "active": _("What teaches the model most, in its order."),
    "random": _("By chance: without it the gain of active learning cannot be measured."),
    "holdout": _("By chance, never trained on: without it no gate can decide."),
    "audit": _("What the model labeled by itself, drawn for a check."),
    "gold": _("Examples whose answer is known; everybody gets each of them once."),
    "relabel": _("Labels that a model doubts, asked of somebody who has not answered."),
    "review": _("Where answers disagree; for reviewers. With weight 0 one more person is asked instead."),
    "drift": _("From the part of the traffic that has changed."),
}


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices)
