"""One text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects.task_types.payload import Fields, Payload, PayloadKind, PayloadRefused, Tensor, strings, text_in

COLUMNS = _("a column “text”")


@dataclass(frozen=True)
class TextPayload(PayloadKind):
    name: str = "text"
    columns: str | Promise = COLUMNS
    column_names: tuple[str, ...] = ("text",)

    def read(self, row: Mapping[str, Any]) -> Payload:
        return Payload({"text": text_in(row, "text")})

    def summary(self, fields: Fields, external_id: str) -> str:
        return str(fields.get("text", ""))[:160]

    def shown(self, fields: Fields) -> dict[str, Any]:
        return {"text": str(fields.get("text", ""))}

    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        return {"text": fields.get("text", "")}

    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        try:
            return self.read({"text": form.get("text", "")}).fields
        except PayloadRefused as cause:
            raise Invalid(refusal(cause), field="text") from None

    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        return fields.get("text")

    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        return [strings("text", [row["text"] for row in rows])]
