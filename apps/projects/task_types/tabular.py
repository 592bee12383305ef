"""One row of a table: its features by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.errors import Invalid
from apps.projects.task_types.payload import (
    RESERVED,
    Fields,
    Payload,
    PayloadKind,
    PayloadRefused,
    Tensor,
    numbers,
    strings,
)
from apps.rules.sentences import sentence
from apps.rules.values import cell_of

COLUMNS = _("one column per feature")


@dataclass(frozen=True)
class TabularPayload(PayloadKind):
    name: str = "tabular"
    columns: str | Promise = COLUMNS
    has_features: bool = True

    def read(self, row: Mapping[str, Any]) -> Payload:
        features = {k: cell_of(v, k) for k, v in row.items() if k not in RESERVED}
        if not features:
            raise PayloadRefused(sentence("There is no feature column beside id and label."))
        if all(value is None for value in features.values()):
            raise PayloadRefused(sentence("Every feature is empty."))
        return Payload({"features": features})

    def stands_in(self, row: Mapping[str, Any]) -> bool:
        return any(v is not None and v != "" for k, v in row.items() if k not in RESERVED)

    def summary(self, fields: Fields, external_id: str) -> str:
        return ", ".join(f"{k} {v}" for k, v in self.pairs(fields)[:6])[:160]

    def shown(self, fields: Fields) -> dict[str, Any]:
        return {"features": [[k, v] for k, v in self.pairs(fields)]}

    def pairs(self, fields: Fields) -> tuple[tuple[str, Any], ...]:
        return tuple(fields.get("features", {}).items())

    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        return dict(fields["features"])

    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        """An empty field is left out: the model knows missing values."""
        entered = {name: form.get(f"feature-{name}", "").strip() for name in like}
        row = {name: _as_stored(name, text, like[name]) for name, text in entered.items() if text}
        if not row:
            raise Invalid(gettext("Fill in at least one feature."), field="features")
        return row

    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        return fields.get("features", {})

    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        names = [name for name in rows[0] if name not in RESERVED]
        return [_column(name, [row.get(name) for row in rows]) for name in names]


def _as_stored(name: str, text: str, like: Any) -> float | str:
    """A number where the stored row has one. Raises Invalid."""
    if not isinstance(like, int | float) or isinstance(like, bool):
        return text
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = nan
    if not isfinite(number):
        sentence = gettext("“{name}” needs a number, not “{text}”.").format(name=name, text=text[:40])
        raise Invalid(sentence, field="features")
    return number


def _column(name: str, values: Sequence[Any]) -> Tensor:
    if all(v is None or isinstance(v, int | float) for v in values):
        return numbers(name, values)
    return strings(name, [None if v is None else str(v) for v in values])
