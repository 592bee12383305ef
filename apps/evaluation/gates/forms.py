"""The policy of gates as rows: one small form a gate, made of the parameters that its type takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy
from pydantic.fields import FieldInfo

from apps.rules.gates import GATES, Gate, GatePolicy
from apps.rules.gates.policy import MOST_GATES, MOST_NAME, GateSettings

PARAMETER = "p-"  # before the name of a field that is a parameter
MOST_WORDS = 400  # characters of a parameter in words


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
        return [self.form[name] for name in self.form.fields if name.startswith(PARAMETER)]

    def settings(self) -> dict[str, Any]:
        """As a policy has it: only what differs from the defaults. The form is valid by then."""
        given = self.form.cleaned_data
        said: dict[str, Any] = {"type": self.gate.name}
        if given["name"] and given["name"] != self.gate.name:
            said["name"] = given["name"]
        if given.get("acts") == "warns":
            said["blocking"] = False
        parameters = {
            info.alias or name: _value(info, given[PARAMETER + name])
            for name, info in self.gate.parameters.model_fields.items()
            if not _is_default(info, _value(info, given[PARAMETER + name]))
        }
        return said | ({"parameters": parameters} if parameters else {})


def row_of(gate: Gate, settings: GateSettings | None = None) -> GateRow:
    """A row with what a policy says; without settings an empty one."""
    initial: dict[str, Any] = {"name": settings.name if settings else "", "acts": "blocks"}
    if settings and not settings.blocking:
        initial["acts"] = "warns"
    given = settings.parameters if settings else {}
    for name, info in gate.parameters.model_fields.items():
        value = given.get(info.alias or name, given.get(name, None if info.is_required() else info.get_default()))
        initial[PARAMETER + name] = "\n".join(map(str, value)) if isinstance(value, list | tuple) else value
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


def parameters_in_words(settings: GateSettings) -> str:
    """What differs from the defaults: “allowed loss of accuracy 0.01”."""
    fields = settings.gate.parameters.model_fields
    called = {info.alias or name: info for name, info in fields.items()}
    words = []
    for name, value in settings.parameters.items():
        info = called.get(name) or fields.get(name)
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else _choice_word(info, value)
        words.append(f"{gettext(info.title).lower() if info and info.title else name} {shown}")
    return "; ".join(words)


def _is_default(info: FieldInfo, value: Any) -> bool:
    if value is None:
        return True
    default = info.get_default() if not info.is_required() else None
    return bool(value == (list(default) if isinstance(default, tuple) else default))


def _form(gate: Gate) -> type[forms.Form]:
    fields: dict[str, Any] = {"name": forms.CharField(required=False, max_length=MOST_NAME, label=gettext_lazy("Name"))}
    if not gate.required:
        acts = [("blocks", gettext_lazy("Blocks a release")), ("warns", gettext_lazy("Warns only"))]
        fields["acts"] = forms.ChoiceField(choices=acts, label=gettext_lazy("Where it does not pass"))
    for name, info in gate.parameters.model_fields.items():
        fields[PARAMETER + name] = _field(info)
    return type("GateRowForm", (forms.Form,), fields)


def _field(info: FieldInfo) -> forms.Field:
    """One parameter as a field: choices, yes or no, a number, words, or words a line."""
    kind, optional = _kind(info)
    same: dict[str, Any] = {
        "label": gettext(info.title) if info.title else "",
        "help_text": gettext(info.description) if info.description else "",
        "required": info.is_required(),
    }
    if get_origin(kind) is Literal:
        choices = [(value, _choice_word(info, value)) for value in get_args(kind)]
        return forms.ChoiceField(choices=[("", gettext("As usual")), *choices] if optional else choices, **same)
    if kind is bool:
        return forms.BooleanField(**same | {"required": False})
    if get_origin(kind) is tuple:
        return forms.CharField(max_length=20 * MOST_WORDS, widget=forms.Textarea(attrs={"rows": 3}), **same)
    if kind is int:
        return forms.IntegerField(**same)
    if kind is float:
        return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **same)
    return forms.CharField(max_length=MOST_WORDS, **same)


def _kind(info: FieldInfo) -> tuple[Any, bool]:
    """Its type without None, and whether None is one."""
    parts = [part for part in get_args(info.annotation) if part is not NoneType]
    if get_origin(info.annotation) in (Literal, tuple) or len(parts) == len(get_args(info.annotation)):
        return info.annotation, False
    return parts[0], True


def _choice_word(info: FieldInfo | None, value: Any) -> str:
    extra = info.json_schema_extra if info else None
    words: Any = extra.get("words", {}) if isinstance(extra, Mapping) else {}
    return gettext(words[value]) if value in words else str(value)


def _value(info: FieldInfo, given: Any) -> Any:
    kind, _ = _kind(info)
    if get_origin(kind) is tuple:
        return [line.strip() for line in str(given).splitlines() if line.strip()]
    return None if given == "" else given
