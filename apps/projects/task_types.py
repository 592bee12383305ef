"""Task types: what an example looks like and how it is checked. A new type is one more object, never an `if`."""

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


class TaskType(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str:
        """text | image | tabular: what the desk paints."""

    @property
    def example_template(self) -> str: ...
    @property
    def columns(self) -> str:
        """In words, for the upload page."""

    def read(self, row: Mapping[str, Any]) -> Payload:
        """Check one row. Raises PayloadRefused with a sentence."""

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        """One line for lists, by which a person tells two examples apart."""


@dataclass(frozen=True)
class TextClassification:
    name: str = "text-classification"
    title: str = "Text, one label"
    kind: str = "text"
    example_template: str = "labeling/_example_text.html"
    columns: str = "a column “text”"

    def read(self, row: Mapping[str, Any]) -> Payload:
        if "text" not in row:
            raise PayloadRefused("The column “text” is missing.")
        text = row["text"]
        if text is not None and not isinstance(text, str):
            raise PayloadRefused("The text is not text but a number or a list.")
        if text is None or not text.strip():
            raise PayloadRefused("The text is empty.")
        if len(text) > MAX_TEXT:
            raise PayloadRefused(f"The text has {len(text):,} characters; at most {MAX_TEXT:,} are taken.")
        if "\x00" in text:
            raise PayloadRefused("The text contains a NUL character.")
        return Payload({"text": text})

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        return str(fields.get("text", ""))[:160]


@dataclass(frozen=True)
class ImageClassification:
    name: str = "image-classification"
    title: str = "Image, one label"
    kind: str = "image"
    example_template: str = "labeling/_example_image.html"
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
class TabularClassification:
    name: str = "tabular-classification"
    title: str = "Table row, one label"
    kind: str = "tabular"
    example_template: str = "labeling/_example_tabular.html"
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


_registry: dict[str, TaskType] = {}


def register(task_type: TaskType) -> None:
    _registry[task_type.name] = task_type


def get(name: str) -> TaskType:
    return _registry[name]


def choices() -> list[tuple[str, str]]:
    return [(t.name, t.title) for t in _registry.values()]


register(TextClassification())
register(ImageClassification())
register(TabularClassification())
