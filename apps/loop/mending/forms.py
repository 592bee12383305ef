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
WHERE = [
    ("wrong", gettext_lazy("Train only where they contradict the model surely more often than its holdout did")),
    ("labeled", gettext_lazy("Train in any case")),
]
SHIFTS = [
    ("", gettext_lazy("As what alarmed tells")),
    ("covariate", gettext_lazy("Covariate shift: old rows count by how like the window they are")),
    ("label", gettext_lazy("Label shift: labels count as often as the window has them")),
    ("concept", gettext_lazy("Concept drift: old rows of the slice are dropped")),
    ("none", gettext_lazy("None: all labels count alike")),
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
    where = forms.ChoiceField(
        required=False,
        label=gettext_lazy("When the labels are in"),
        choices=WHERE,
        help_text=gettext_lazy(
            "An alarm closes itself where all labels are in and show nothing that has to be mended."
        ),
    )
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind of run"), choices=KINDS)
    shift = forms.ChoiceField(required=False, label=gettext_lazy("Kind of shift"), choices=SHIFTS)

    def policy(self) -> dict[str, Any]:
        """As a policy has it. The form is valid by then."""
        given = self.cleaned_data
        chosen = {name: given[name] for name in ("where", "kind", "shift") if given[name]}
        return {
            "severity": given["severity"],
            "rollback": {"mode": given["rollback"], "window": given["window"]},
            "lane": {"mode": given["lane"], "examples": given["examples"]},
            "retrain": {"mode": given["retrain"], "labels": given["labels"], **chosen},
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
            "where": policy.retrain.where,
            "kind": policy.retrain.kind or "",
            "shift": str(policy.retrain.shift or ""),
        }
    )
