"""What every kind of payload can do: check a row, store it, show it, write it to a file, and ask the predictor about it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from apps.rules.sentences import sentence, term, words_of
from apps.rules.values import ValueRefused, whole

MAX_TEXT = 20_000  # characters; longer ones are cut by every sentence encoder anyway
RESERVED = frozenset({"id", "external_id", "label", "split", "timestamp", "group", "collected_at"})
Fields = Mapping[str, Any]  # what is stored of an example, as JSON
Tensor = dict[str, Any]  # one input in the words of the Open Inference Protocol v2


class PayloadRefused(ValueRefused):
    """One row does not fit the task type; the message is the reason on the dead-letter page."""


@dataclass(frozen=True)
class Payload:
    """What is stored of an example: JSON, and bytes where there are any."""

    fields: dict[str, Any]
    blob: bytes | None = None


@dataclass(frozen=True)
class PayloadKind(ABC):
    """What an example may look like, whatever can be said about it. The name is that of its templates and scripts too."""

    name: str
    columns: str | Promise  # in words, for the upload page
    column_names: tuple[str, ...] = ()  # of a file; none where each row brings its own
    has_image: bool = False  # a picture stands beside the fields, up to megabytes
    has_features: bool = False  # the fields are named columns, under `features`

    @property
    def template(self) -> str:
        """The example on the desk."""
        return f"labeling/_example_{self.name}.html"

    @property
    def shown_template(self) -> str:
        """The example in a list of found or similar ones."""
        return f"labeling/_shown_{self.name}.html"

    @property
    def try_template(self) -> str:
        """The fields of the form that asks the champion."""
        return f"releases/_try_{self.name}.html"

    @abstractmethod
    def read(self, row: Mapping[str, Any]) -> Payload:
        """Check one row. Raises PayloadRefused with a sentence."""

    def stands_in(self, row: Mapping[str, Any]) -> bool:
        """Whether the row shows an example, and does not only speak of one that is here."""
        return any(row.get(name) not in (None, "") for name in self.column_names)

    @abstractmethod
    def summary(self, fields: Fields, external_id: str) -> str:
        """One line for lists, by which a person tells two examples apart."""

    @abstractmethod
    def shown(self, fields: Fields) -> dict[str, Any]:
        """What the desk paints, as JSON."""

    @abstractmethod
    def columns_of(self, fields: Fields, image: bytes | None) -> dict[str, Any]:
        """The columns of a file that `read` makes the same example of."""

    @abstractmethod
    def question(self, form: Mapping[str, str], image: bytes | None, like: Fields) -> dict[str, Any]:
        """One row for the predictor from a form. `like` are the features of a stored row. Raises Invalid, with the field."""

    @abstractmethod
    def inputs(self, rows: Sequence[Mapping[str, Any]]) -> list[Tensor]:
        """Rows as the predictor is asked about them, a tensor a column."""

    @abstractmethod
    def for_model(self, fields: Fields, image: bytes | None) -> Any:
        """What an encoder and a model read of an example. Images are there where the kind has one."""

    def pairs(self, fields: Fields) -> tuple[tuple[str, Any], ...]:
        """Names and values for a list, where an example is more than one text or picture."""
        return ()


def text_in(row: Mapping[str, Any], column: str) -> str:
    """The text of a column. Raises PayloadRefused."""
    if column not in row:
        raise PayloadRefused(sentence("The column “{column}” is missing.", column=column))
    text = row[column]
    if text is not None and not isinstance(text, str):
        raise PayloadRefused(sentence("The text is not text but a number or a list."))
    if text is None or not text.strip():
        raise PayloadRefused(sentence("The text is empty."))
    if len(text) > MAX_TEXT:
        raise PayloadRefused(
            sentence("The text has {length:,} characters; at most {most:,} are taken.", length=len(text), most=MAX_TEXT)
        )
    try:
        return whole(text, term("The text"))
    except ValueRefused as cause:
        raise PayloadRefused(words_of(cause)) from None


def strings(name: str, values: Sequence[str | None]) -> Tensor:
    return {"name": name, "shape": [len(values)], "datatype": "BYTES", "data": list(values)}


def numbers(name: str, values: Sequence[float | None]) -> Tensor:
    filled = [None if v is None else float(v) for v in values]
    return {"name": name, "shape": [len(values)], "datatype": "FP64", "data": filled}
