"""One picture, as PNG."""

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from apps.errors import Invalid
from apps.projects.task_types.payload import Fields, Payload, PayloadKind, PayloadRefused, Tensor, strings

MAX_IMAGE_SIDE = 4096
MOST_ASKED = 5_000_000  # bytes of the one image that a form asks about; the predictor takes batches

COLUMNS = _("a column “image” with PNG bytes (Parquet) or base64 (CSV, JSONL)")


@dataclass(frozen=True)
class ImagePayload(PayloadKind):
    name: str = "image"
    columns: str | Promise = COLUMNS
    column_names: tuple[str, ...] = ("image",)
    has_image: bool = True

    def read(self, row: Mapping[str, Any]) -> Payload:
        if row.get("image") is None:
            raise PayloadRefused("The column “image” is missing or empty.")
        content = _image_bytes(row["image"])
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.verify()
                encoded_as, (width, height) = image.format, image.size
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise PayloadRefused("The image cannot be read: it is not a whole PNG.") from None
        if encoded_as != "PNG":
            raise PayloadRefused(f"The image is {encoded_as}; only PNG is taken.")
        if max(width, height) > MAX_IMAGE_SIDE:
            raise PayloadRefused(f"The image is {width} by {height} pixels; at most {MAX_IMAGE_SIDE:,} a side.")
        return Payload({"width": width, "height": height}, content)

    def summary(self, fields: Fields, external_id: str) -> str:
        return f"{external_id}, {fields.get('width')} by {fields.get('height')} pixels"

    def shown(self, fields: Fields) -> dict[str, Any]:
        return {"width": fields.get("width"), "height": fields.get("height")}

    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        return {"image": image}

    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        if not image:
            raise Invalid(gettext("Choose a PNG file first."), field="image")
        if len(image) > MOST_ASKED:
            sentence = gettext("The file has {has:.0f} MB; at most {most:.0f} MB are taken here.")
            raise Invalid(sentence.format(has=len(image) / 1e6, most=MOST_ASKED / 1e6), field="image")
        try:
            return {"image": self.read({"image": image}).blob}
        except PayloadRefused as cause:
            raise Invalid(str(cause), field="image") from None

    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        return image or b""

    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        return [strings("image", [base64.b64encode(row["image"]).decode() for row in rows])]


def _image_bytes(value: Any) -> bytes:
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return bytes(value["bytes"])  # the Hugging Face convention for images in Parquet
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(str(value).split(",", 1)[-1], validate=True)
    except (binascii.Error, ValueError):
        raise PayloadRefused("The image is neither PNG bytes nor base64.") from None
