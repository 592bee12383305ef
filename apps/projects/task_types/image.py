"""One picture, kept as it came."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects.task_types.payload import Fields, Payload, PayloadKind, PayloadRefused, Tensor, strings
from apps.rules.pictures import UPRIGHT, PictureRefused, encoded_bytes, taken
from apps.rules.sentences import sentence, words_of

MOST_ASKED = 20_000_000  # bytes of the one image that a form asks about; the predictor takes batches

COLUMNS = _("a column “image” with the bytes of a PNG, JPEG, WebP, GIF or BMP (Parquet), or base64 (CSV, JSONL)")


@dataclass(frozen=True)
class ImagePayload(PayloadKind):
    name: str = "image"
    columns: str | Promise = COLUMNS
    column_names: tuple[str, ...] = ("image",)
    has_image: bool = True

    def read(self, row: Mapping[str, Any]) -> Payload:
        if row.get("image") is None and row.get("file_name"):
            raise PayloadRefused(
                sentence("The image “{value}” did not come with the file.", value=str(row["file_name"])[:200])
            )
        if row.get("image") is None:
            raise PayloadRefused(sentence("The column “image” is missing or empty."))
        try:
            picture, content = taken(encoded_bytes(row["image"]))
        except PictureRefused as refused:
            raise PayloadRefused(words_of(refused)) from None
        fields = {"width": picture.width, "height": picture.height}
        if picture.orientation != UPRIGHT:
            fields["orientation"] = picture.orientation  # of the kept bytes; width and height are as a person sees it
        return Payload(fields, content)

    def summary(self, fields: Fields, external_id: str) -> str:
        return f"{external_id}, {fields.get('width')} by {fields.get('height')} pixels"

    def shown(self, fields: Fields) -> dict[str, Any]:
        return {"width": fields.get("width"), "height": fields.get("height")}

    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        return {"image": image}

    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        if not image:
            raise Invalid(gettext("Choose a picture first."), field="image")
        if len(image) > MOST_ASKED:
            sentence = gettext("The file has {has:.0f} MB; at most {most:.0f} MB are taken here.")
            raise Invalid(sentence.format(has=len(image) / 1e6, most=MOST_ASKED / 1e6), field="image")
        try:
            return {"image": self.read({"image": image}).blob}
        except PayloadRefused as cause:
            raise Invalid(refusal(cause), field="image") from None

    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        return image or b""

    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        return [strings("image", [base64.b64encode(row["image"]).decode() for row in rows])]
