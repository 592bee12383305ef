"""What an example may look like: how a row is checked, stored and named in lists."""

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image, UnidentifiedImageError

MAX_TEXT = 20_000  # characters; longer ones are cut by every sentence encoder anyway
MAX_IMAGE_SIDE = 4096
RESERVED = frozenset({"id", "external_id", "label", "split", "timestamp", "group", "collected_at"})


class PayloadRefused(ValueError):
    """One row does not fit the task type; the message is the reason on the dead-letter page."""


@dataclass(frozen=True)
class Payload:
    """What is stored of an example: JSON, and bytes where there are any."""

    fields: dict[str, Any]
    blob: bytes | None = None


class PayloadKind(Protocol):
    @property
    def name(self) -> str:
        """text | image | tabular | pair: what the desk paints."""

    @property
    def template(self) -> str: ...
    @property
    def columns(self) -> str:
        """In words, for the upload page."""

    def read(self, row: Mapping[str, Any]) -> Payload:
        """Check one row. Raises PayloadRefused with a sentence."""

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        """One line for lists, by which a person tells two examples apart."""


@dataclass(frozen=True)
class TextPayload:
    name: str = "text"
    template: str = "labeling/_example_text.html"
    columns: str = "a column “text”"

    def read(self, row: Mapping[str, Any]) -> Payload:
        return Payload({"text": _text(row, "text")})

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        return str(fields.get("text", ""))[:160]


@dataclass(frozen=True)
class PairPayload:
    name: str = "pair"
    template: str = "labeling/_example_pair.html"
    columns: str = "columns “a” and “b”, and “prompt” where there is one"

    def read(self, row: Mapping[str, Any]) -> Payload:
        """Two texts to choose between; `text` is all of it, for search and for the encoder."""
        a, b = _text(row, "a"), _text(row, "b")
        prompt = _text(row, "prompt") if row.get("prompt") else ""
        return Payload({"prompt": prompt, "a": a, "b": b, "text": "\n".join(x for x in (prompt, a, b) if x)})

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        return str(fields.get("prompt") or f"{str(fields.get('a', ''))[:80]} / {str(fields.get('b', ''))[:80]}")[:160]


@dataclass(frozen=True)
class ImagePayload:
    name: str = "image"
    template: str = "labeling/_example_image.html"
    columns: str = "a column “image” with PNG bytes (Parquet) or base64 (CSV, JSONL)"

    def read(self, row: Mapping[str, Any]) -> Payload:
        if row.get("image") is None:
            raise PayloadRefused("The column “image” is missing or empty.")
        content = _image_bytes(row["image"])
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.verify()
                kind, (width, height) = image.format, image.size
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise PayloadRefused("The image cannot be read: it is not a whole PNG.") from None
        if kind != "PNG":
            raise PayloadRefused(f"The image is {kind}; only PNG is taken.")
        if max(width, height) > MAX_IMAGE_SIDE:
            raise PayloadRefused(f"The image is {width} by {height} pixels; at most {MAX_IMAGE_SIDE:,} a side.")
        return Payload({"width": width, "height": height}, content)

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        return f"{external_id}, {fields.get('width')} by {fields.get('height')} pixels"


@dataclass(frozen=True)
class TabularPayload:
    name: str = "tabular"
    template: str = "labeling/_example_tabular.html"
    columns: str = "one column per feature"

    def read(self, row: Mapping[str, Any]) -> Payload:
        features = {str(k): _plain(v) for k, v in row.items() if str(k) not in RESERVED}
        if not features:
            raise PayloadRefused("There is no feature column beside id and label.")
        if all(value is None for value in features.values()):
            raise PayloadRefused("Every feature is empty.")
        return Payload({"features": features})

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        return ", ".join(f"{k} {v}" for k, v in list(fields.get("features", {}).items())[:6])[:160]


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        raise PayloadRefused(f"The column “{column}” is missing.")
    text = row[column]
    if text is not None and not isinstance(text, str):
        raise PayloadRefused("The text is not text but a number or a list.")
    if text is None or not text.strip():
        raise PayloadRefused("The text is empty.")
    if len(text) > MAX_TEXT:
        raise PayloadRefused(f"The text has {len(text):,} characters; at most {MAX_TEXT:,} are taken.")
    if "\x00" in text:
        raise PayloadRefused("The text contains a NUL character.")
    return text


def _plain(value: Any) -> Any:
    """A JSON value: NaN and infinity become empty, everything strange becomes its text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    return str(value)


def _image_bytes(value: Any) -> bytes:
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return bytes(value["bytes"])  # the Hugging Face convention for images in Parquet
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(str(value).split(",", 1)[-1], validate=True)
    except (binascii.Error, ValueError):
        raise PayloadRefused("The image is neither PNG bytes nor base64.") from None
