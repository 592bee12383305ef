"""Two texts to choose between, and the prompt that they answer, where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects.task_types.payload import Fields, Payload, PayloadKind, PayloadRefused, Tensor, strings, text_in

COLUMNS = _("columns “a” and “b”, and “prompt” where there is one")


@dataclass(frozen=True)
class PairPayload(PayloadKind):
    name: str = "pair"
    columns: str | Promise = COLUMNS
    column_names: tuple[str, ...] = ("prompt", "a", "b")

    def read(self, row: Mapping[str, Any]) -> Payload:
        """`text` is all of it, for search and for the encoder."""
        a, b = text_in(row, "a"), text_in(row, "b")
        prompt = text_in(row, "prompt") if row.get("prompt") else ""
        return Payload({"prompt": prompt, "a": a, "b": b, "text": "\n".join(x for x in (prompt, a, b) if x)})

    def summary(self, fields: Fields, external_id: str) -> str:
        return str(fields.get("prompt") or f"{str(fields.get('a', ''))[:80]} / {str(fields.get('b', ''))[:80]}")[:160]

    def shown(self, fields: Fields) -> dict[str, Any]:
        return {name: str(fields.get(name, "")) for name in self.column_names}

    def pairs(self, fields: Fields) -> tuple[tuple[str, Any], ...]:
        return tuple((name, fields[name]) for name in self.column_names if fields.get(name))

    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        return {name: fields.get(name, "") for name in self.column_names}

    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        row = {name: form.get(name, "") for name in self.column_names}
        try:
            return self.columns_of(self.read(row).fields, None)
        except PayloadRefused as cause:
            raise Invalid(refusal(cause), field="a") from None

    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        return fields.get("text")  # all of it; see `read`

    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        return [strings(name, [str(row.get(name) or "") for row in rows]) for name in self.column_names]
