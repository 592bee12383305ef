"""The parameters of one part of a policy as fields of a form: what its type takes, with its own titles, bounds and choices."""

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.utils.translation import gettext
from pydantic.fields import FieldInfo

Fields = Mapping[str, FieldInfo]
PARAMETER = "p-"  # before the name of a field that is a parameter
MOST_WORDS = 400  # characters of a parameter in words


def parameter_fields(fields: Fields) -> dict[str, forms.Field]:
    return {PARAMETER + name: _field(info) for name, info in fields.items()}


def parameters_bound(form: forms.Form) -> list[forms.BoundField]:
    return [form[name] for name in form.fields if name.startswith(PARAMETER)]


def parameters_initial(fields: Fields, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows of the parameters that a policy says, and of the defaults for the rest."""
    initial = {}
    for name, info in fields.items():
        value = given.get(info.alias or name, given.get(name, None if info.is_required() else info.get_default()))
        initial[PARAMETER + name] = "\n".join(map(str, value)) if isinstance(value, list | tuple) else value
    return initial


def parameters_read(fields: Fields, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """As a policy has them: only what differs from the defaults. The form is valid by then."""
    return {
        info.alias or name: _value(info, cleaned[PARAMETER + name])
        for name, info in fields.items()
        if not _is_default(info, _value(info, cleaned[PARAMETER + name]))
    }


def parameters_in_words(fields: Fields, given: Mapping[str, Any]) -> str:
    """What differs from the defaults: “allowed loss of accuracy 0.01”."""
    called = {info.alias or name: info for name, info in fields.items()}
    return "; ".join(_in_words(called.get(name) or fields.get(name), name, value) for name, value in given.items())


def _in_words(info: FieldInfo | None, name: str, value: Any) -> str:
    many: Iterable[Any] | None = value if isinstance(value, list | tuple) else None
    shown = ", ".join(map(str, many)) if many is not None else _choice_word(info, value)
    return f"{gettext(info.title).lower() if info and info.title else name} {shown}"


def _is_default(info: FieldInfo, value: Any) -> bool:
    if value is None:
        return True
    default = info.get_default() if not info.is_required() else None
    return bool(value == (list(default) if isinstance(default, tuple) else default))


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
