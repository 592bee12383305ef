"""The form that sets how a project's queue runs."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.features.selectors import encoders_for
from apps.labeling.models import LANE_WEIGHTS, ConsensusMethod
from apps.labeling.services.queue_settings import (
    LANES,
    MOST_GOLD_FAILURES,
    MOST_OVERLAP,
    MOST_WEIGHT,
    ONE_ANSWER_LANES,
    queue_choices_of,
)
from apps.projects.models import Project
from apps.rules.acquisition import DEFAULT, STRATEGIES


def strategies() -> list[tuple[str, str]]:
    """The default first."""
    return [(s.name, gettext(s.title)) for s in sorted(STRATEGIES.values(), key=lambda s: s.name != DEFAULT)]


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
        kept = queue_choices_of(project)
        initial: dict[str, Any] = {name: getattr(kept, name) for name in self.base_fields if hasattr(kept, name)}
        initial |= {f"{name}_percent": round(100 * getattr(kept, of)) for name, of in PERCENTS.items()}
        initial |= {f"weight_{lane}": kept.lane_weights[lane] for lane in LANES}
        initial |= {f"overlap_{lane}": kept.lane_overlap.get(lane, "") for lane in LANES}
        super().__init__(given, initial=initial)
        for lane in LANES:
            self.fields[f"weight_{lane}"] = forms.IntegerField(
                min_value=0, max_value=MOST_WEIGHT, initial=LANE_WEIGHTS[lane], label=_("Weight")
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
