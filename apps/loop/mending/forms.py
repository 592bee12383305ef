"""The alarm policy as fields: three links and which alerts act by themselves."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.rules.mending import AlarmPolicy
from apps.rules.rollouts.durations import in_words

MODES = [
    ("off", gettext_lazy("Off")),
    ("propose", gettext_lazy("Proposed in the alarm")),
    ("auto", gettext_lazy("By itself")),
]
KINDS = [
    ("", gettext_lazy("As the cause of the alarm asks for")),
    ("incremental", gettext_lazy("Incremental")),
    ("full", gettext_lazy("Full")),
    ("fine-tune", gettext_lazy("Fine-tune")),
]


class AlarmPolicyForm(forms.Form):
    severity = forms.ChoiceField(
        label=gettext_lazy("What acts by itself"),
        choices=[
            ("alarms", gettext_lazy("Alarms; warnings only propose")),
            ("warns", gettext_lazy("Alarms and warnings")),
        ],
    )
    rollback = forms.ChoiceField(label=gettext_lazy("Roll back"), choices=MODES)
    window = forms.CharField(
        max_length=20,
        label=gettext_lazy("A release is suspected for"),
        help_text=gettext_lazy("6h, 1d, 2d: if an alarm comes within this time of it."),
    )
    lane = forms.ChoiceField(label=gettext_lazy("Ask for labels"), choices=MODES)
    examples = forms.IntegerField(
        label=gettext_lazy("Examples at most"), help_text=gettext_lazy("Every third of them judges the next model.")
    )
    retrain = forms.ChoiceField(
        label=gettext_lazy("Train, and release"),
        choices=MODES,
        help_text=gettext_lazy("By itself it also releases, as the release policy says, what passed its gates."),
    )
    labels = forms.IntegerField(label=gettext_lazy("Labels until the run"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind of run"), choices=KINDS)

    def policy(self) -> dict[str, Any]:
        """As a policy has it. The form is valid by then."""
        given = self.cleaned_data
        kind = {"kind": given["kind"]} if given["kind"] else {}
        return {
            "severity": given["severity"],
            "rollback": {"mode": given["rollback"], "window": given["window"]},
            "lane": {"mode": given["lane"], "examples": given["examples"]},
            "retrain": {"mode": given["retrain"], "labels": given["labels"], **kind},
        }


def form_of(policy: AlarmPolicy) -> AlarmPolicyForm:
    return AlarmPolicyForm(
        initial={
            "severity": str(policy.severity),
            "rollback": str(policy.rollback.mode),
            "window": in_words(policy.rollback.window),
            "lane": str(policy.lane.mode),
            "examples": policy.lane.examples,
            "retrain": str(policy.retrain.mode),
            "labels": policy.retrain.labels,
            "kind": policy.retrain.kind or "",
        }
    )
