"""Forms of rollouts: a reason, and the release policy as rows of steps or as YAML."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.projects.policies.pages import PolicyEdit
from apps.rules.rollouts.metrics import METRICS
from apps.rules.rollouts.policy import MOST_METRICS, MOST_STEPS, MOST_TEXT, RolloutPolicy

KINDS: dict[str, str | Promise] = {
    "setWeight": gettext_lazy("Share of who asks"),
    "analysis": gettext_lazy("Analysis"),
    "pause": gettext_lazy("Pause"),
    "setMirrorRoute": gettext_lazy("Unseen copies"),
}
FIRST = {"setWeight": 10, "setMirrorRoute": {"percentage": 100}, "pause": {"duration": "30m"}}
EDITED = ("name", "interval", "count", "minSample")  # of a metric; what else it says is carried along


class StopForm(forms.Form):
    """Why: needed to skip steps, welcome when aborting."""

    reason = forms.CharField(required=False, max_length=400)


class RestField(forms.CharField):
    """What a policy says beside what a form has fields for, as JSON that goes along unseen. Cleaned to a mapping."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, max_length=MOST_TEXT)

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, Mapping) else value

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            found = json.loads(super().clean(value) or "{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise forms.ValidationError(gettext("What else was set here cannot be read."))
        return found


class PolicyLimitsForm(forms.Form):
    """What holds for all steps together."""

    rest = RestField()
    false_aborts = forms.FloatField(
        label=gettext_lazy("Good models stopped by chance, %"),
        help_text=gettext_lazy("At most so many, by all looks of all metrics together."),
        widget=forms.NumberInput(attrs={"step": "any", "min": "0", "max": "50"}),
    )
    rollback_window = forms.IntegerField(
        label=gettext_lazy("Versions that are gone back to at once"),
        help_text=gettext_lazy("The last so many that served skip the steps."),
    )
    while_one = forms.ChoiceField(
        label=gettext_lazy("A release while one is under way"),
        choices=[("refuse", gettext_lazy("Is refused")), ("supersede", gettext_lazy("Takes its place"))],
    )

    def settings(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            **{key: value for key, value in given["rest"].items() if key != "steps"},
            "falseAborts": given["false_aborts"] / 100,
            "rollbackWindow": given["rollback_window"],
            "whileOne": given["while_one"],
        }


class WeightForm(forms.Form):
    weight = forms.FloatField(
        label=gettext_lazy("Percent of who asks"), widget=forms.NumberInput(attrs={"step": "any"})
    )


class PauseForm(forms.Form):
    duration = forms.CharField(
        required=False,
        max_length=20,
        label=gettext_lazy("For"),
        help_text=gettext_lazy("30m, 1h30m or 2d; empty: until a person goes on."),
    )


class MetricForm(forms.Form):
    name = forms.ChoiceField(label=gettext_lazy("Metric"))
    interval = forms.CharField(max_length=20, label=gettext_lazy("A look every"), help_text=gettext_lazy("30s, 5m, 1h"))
    count = forms.IntegerField(label=gettext_lazy("Looks"))
    minSample = forms.IntegerField(label=gettext_lazy("Samples at least"))
    rest = RestField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        assert isinstance(name, forms.ChoiceField)
        name.choices = [(metric.name, gettext(metric.title)) for metric in METRICS.values()]

    @property
    def rest_words(self) -> str:
        """What the row has no field for, as YAML would say it."""
        try:
            found = self.fields["rest"].clean(self["rest"].value())
        except forms.ValidationError:
            return ""
        return ", ".join(f"{key}: {value}" for key, value in found.items())

    def settings(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {**given["rest"], **{name: given[name] for name in EDITED}}


@dataclass
class StepRow:
    """One step of the form. `index` tells its fields from those of others; `fault` is what the policy says against it."""

    index: str
    kind: str
    form: forms.Form | None = None
    metrics: list[tuple[str, MetricForm]] = field(default_factory=list)
    fault: str = ""

    @property
    def title(self) -> str | Promise:
        return KINDS[self.kind]

    def is_valid(self) -> bool:
        forms_here = [*([self.form] if self.form else []), *(form for _, form in self.metrics)]
        return all(form.is_valid() for form in forms_here)

    def settings(self) -> dict[str, Any]:
        """As a policy has it. Its forms are valid by then."""
        if self.form is None:
            return {"analysis": {"metrics": [form.settings() for _, form in self.metrics]}}
        given = self.form.cleaned_data
        if self.kind == "pause":
            return {"pause": {"duration": given["duration"].strip()} if given["duration"].strip() else {}}
        share = given["weight"]
        return {self.kind: share if self.kind == "setWeight" else {"percentage": share}}


def limits_of(policy: RolloutPolicy) -> PolicyLimitsForm:
    usual = {
        "false_aborts": f"{100 * policy.false_aborts:g}",
        "rollback_window": policy.rollback_window,
        "while_one": policy.while_one,
    }
    named = ("steps", "falseAborts", "rollbackWindow", "whileOne")
    rest = {key: value for key, value in policy.written().items() if key not in named}
    return PolicyLimitsForm(initial={**usual, "rest": rest})


def rows_of(policy: RolloutPolicy) -> list[StepRow]:
    return [step_row(step) for step in policy.written()["steps"]]


def new_row(kind: str) -> StepRow:
    return step_row({kind: FIRST[kind]} if kind in FIRST else {kind: {"metrics": [{"name": "error-rate"}]}})


def step_row(step: Mapping[str, Any]) -> StepRow:
    index, (kind, said) = token_hex(4), next(iter(step.items()))
    if kind == "analysis":
        return StepRow(index, kind, metrics=[metric_form(metric) for metric in said["metrics"]])
    if kind == "pause":
        return StepRow(index, kind, PauseForm(initial={"duration": (said or {}).get("duration", "")}, prefix=index))
    share = said if kind == "setWeight" else said["percentage"]
    return StepRow(index, kind, WeightForm(initial={"weight": share}, prefix=index))


def metric_form(settings: Mapping[str, Any]) -> tuple[str, MetricForm]:
    index = token_hex(4)
    usual = {"interval": "5m", "count": 12, "minSample": 100}
    rest = {key: value for key, value in settings.items() if key not in EDITED}
    return index, MetricForm(initial={**usual, **settings, "rest": rest}, prefix=index)


def rows_posted(post: QueryDict) -> list[StepRow]:
    """In the order of the page, without kinds that are none."""
    found = list[StepRow]()
    for index in post.getlist("step")[: 2 * MOST_STEPS]:
        kind = post.get(f"{index}-kind", "")
        if kind == "analysis":
            metrics = [
                (each, MetricForm(post, prefix=each)) for each in post.getlist(f"{index}-metric")[: 2 * MOST_METRICS]
            ]
            found.append(StepRow(index, kind, metrics=metrics))
        elif kind in KINDS:
            found.append(StepRow(index, kind, (PauseForm if kind == "pause" else WeightForm)(post, prefix=index)))
    return found


def rows_changed(post: QueryDict, rows: Sequence[StepRow]) -> list[StepRow] | None:
    """What a button of the rows asks for: one more, one less, one place up or down; None where none was pressed."""
    found = list(rows)
    places = {row.index: place for place, row in enumerate(found)}
    kind = str(post.get("add_kind", ""))
    if "add" in post:
        if kind not in KINDS:
            return found
        last = found[-1] if found else None
        ends = last is not None and last.kind == "setWeight" and str(post.get(f"{last.index}-weight")).strip() == "100"
        found.insert(len(found) - 1 if ends else len(found), new_row(kind))  # before the step to everybody
        return found
    for name, by in (("up", -1), ("down", 1)):
        if (place := places.get(post.get(name, ""))) is not None:
            other = min(max(place + by, 0), len(found) - 1)
            found[place], found[other] = found[other], found[place]
            return found
    if (place := places.get(post.get("add_metric", ""))) is not None:
        found[place].metrics.append(metric_form({"name": "error-rate"}))
        return found
    if gone := post.get("remove", "") or post.get("remove_metric", ""):
        for row in found:
            row.metrics = [(index, form) for index, form in row.metrics if index != gone]
        return [row for row in found if row.index != gone]
    return None


def steps_posted(post: QueryDict) -> PolicyEdit:
    rows, limits = rows_posted(post), PolicyLimitsForm(post)
    changed = rows_changed(post, rows)

    def said() -> dict[str, Any]:
        return {"steps": [row.settings() for row in rows], **limits.settings()}

    return PolicyEdit(rows if changed is None else changed, said, {"limits": limits}, changed is not None)
