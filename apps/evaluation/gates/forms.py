"""The policy of gates as rows: one small form a gate, made of the parameters that its type takes."""

from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from apps.projects.policies.pages import PolicyEdit
from apps.projects.policies.parameters import (
    MOST_WORDS,
    parameter_fields,
    parameters_in_words,
    parameters_initial,
    parameters_read,
)
from apps.projects.policies.rows import TypedRow, TypedRows
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


class GateRow(TypedRow[Gate]):
    """One gate."""

    @property
    def fields(self) -> list[forms.BoundField]:
        return [*([self.form["acts"]] if "acts" in self.form.fields else []), *self.parameters]

    @property
    def required(self) -> bool:
        return self.type.required

    def settings(self) -> dict[str, Any]:
        """As a policy has it: only what differs from the defaults. The form is valid by then."""
        given = self.form.cleaned_data
        said: dict[str, Any] = {"type": self.type.name}
        if given["name"] and given["name"] != self.type.name:
            said["name"] = given["name"]
        if given.get("acts") == "warns":
            said["blocking"] = False
        parameters = parameters_read(self.type.parameters.model_fields, given)
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


def row_sent(index: str, gate: Gate, post: QueryDict) -> GateRow:
    return GateRow(index, gate, _form(gate)(post, prefix=index))


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


GATE_ROWS = TypedRows(name="gate", most=MOST_GATES, types=GATES, sent=row_sent, new=row_of)


def gates_posted(post: QueryDict) -> PolicyEdit:
    rows, only_rows = GATE_ROWS.edited(post)
    return PolicyEdit(rows, lambda: {"gates": [row.settings() for row in rows]}, only_rows=only_rows)
