"""The policy of gates as rows: one small form a gate, made of the parameters that its type takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from apps.projects.policies.parameters import (
    MOST_WORDS,
    parameter_fields,
    parameters_bound,
    parameters_in_words,
    parameters_initial,
    parameters_read,
)
from apps.rules.gates import GATES, Gate, GatePolicy
from apps.rules.gates.policy import MOST_GATES, MOST_NAME, GateSettings


class SensitiveForm(forms.Form):
    columns = forms.CharField(
        required=False,
        max_length=20 * MOST_WORDS,
        label=gettext_lazy("Sensitive columns"),
        help_text=gettext_lazy("One a line: country, age, ... Gates on fairness compare their groups."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def names(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["columns"].splitlines() if line.strip()]


@dataclass
class GateRow:
    """One gate of the form. `index` tells its fields from those of others; `fault` is what the policy says against it."""

    index: str
    gate: Gate
    form: forms.Form
    fault: str = ""

    @property
    def title(self) -> str:
        return gettext(self.gate.title)

    @property
    def parameters(self) -> list[forms.BoundField]:
        return parameters_bound(self.form)

    def settings(self) -> dict[str, Any]:
        """As a policy has it: only what differs from the defaults. The form is valid by then."""
        given = self.form.cleaned_data
        said: dict[str, Any] = {"type": self.gate.name}
        if given["name"] and given["name"] != self.gate.name:
            said["name"] = given["name"]
        if given.get("acts") == "warns":
            said["blocking"] = False
        parameters = parameters_read(self.gate.parameters.model_fields, given)
        return said | ({"parameters": parameters} if parameters else {})


def row_of(gate: Gate, settings: GateSettings | None = None) -> GateRow:
    """A row with what a policy says; without settings an empty one."""
    initial: dict[str, Any] = {"name": settings.name if settings else "", "acts": "blocks"}
    if settings and not settings.blocking:
        initial["acts"] = "warns"
    initial |= parameters_initial(gate.parameters.model_fields, settings.parameters if settings else {})
    index = token_hex(4)
    return GateRow(index, gate, _form(gate)(initial=initial, prefix=index))


def rows_of(policy: GatePolicy) -> list[GateRow]:
    return [row_of(settings.gate, settings) for settings in policy.gates]


def rows_posted(post: QueryDict) -> list[GateRow]:
    """In the order of the page; a type that is not there any more is left out."""
    found = list[GateRow]()
    for index in post.getlist("gate")[: 2 * MOST_GATES]:
        gate = GATES.get(post.get(f"{index}-type", ""))
        if gate is not None:
            found.append(GateRow(index, gate, _form(gate)(post, prefix=index)))
    return found


def types_offered() -> Iterable[Gate]:
    return GATES.values()


def gate_in_words(settings: GateSettings) -> str:
    """What differs from the defaults: “allowed loss of accuracy 0.01”."""
    return parameters_in_words(settings.gate.parameters.model_fields, settings.parameters)


def _form(gate: Gate) -> type[forms.Form]:
    fields: dict[str, Any] = {"name": forms.CharField(required=False, max_length=MOST_NAME, label=gettext_lazy("Name"))}
    if not gate.required:
        acts = [("blocks", gettext_lazy("Blocks a release")), ("warns", gettext_lazy("Warns only"))]
        fields["acts"] = forms.ChoiceField(choices=acts, label=gettext_lazy("Where it does not pass"))
    fields |= parameter_fields(gate.parameters.model_fields)
    return type("GateRowForm", (forms.Form,), fields)
