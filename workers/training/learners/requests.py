"""What a request to the predictor asks about: payloads from the tensors of the Open Inference Protocol v2."""

from collections.abc import Iterable, Sequence
from math import isfinite, prod
from typing import Any, Protocol

import numpy as np

from apps.rules.pictures import MOST_PIXELS, PictureRefused, encoded_bytes, header

MOST_ROWS = 1024  # a request; larger jobs are split by the client
MOST_NAMED = 5  # inputs in a sentence


class RequestUnreadable(ValueError):
    """The request is not what the model reads; the message is a sentence for whoever sent it."""


class RequestTensor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> Sequence[int]: ...
    @property
    def data(self) -> Any:
        """Values, nested or not."""


class ReadsColumns(Protocol):
    """An input that knows the columns of its rows by name."""

    @property
    def numeric(self) -> frozenset[str]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


def everything_fits(learned: Any, payloads: list[Any], missing_allowed: bool) -> None:
    """For models that read one thing, which `payloads` of their learner has checked by itself."""


def texts(tensors: Sequence[RequestTensor]) -> list[str]:
    refuse_others(tensors, "text")
    found = values(named(tensors, "text"))
    if any(not isinstance(text, str) or not text.strip() for text in found):
        raise RequestUnreadable("Every text must be a string that is not empty.")
    return found


def images(tensors: Sequence[RequestTensor]) -> list[bytes]:
    """Each as it was encoded. Only its head is looked at here: the model decodes it, once."""
    refuse_others(tensors, "image")
    found, pixels = [], 0
    for number, value in enumerate(values(named(tensors, "image")), start=1):
        try:
            content = encoded_bytes(value)
            width, height, _ = header(content)
        except PictureRefused as refused:
            raise RequestUnreadable(f"Image {number}: {refused}") from None
        pixels += width * height
        if pixels > MOST_PIXELS:
            raise RequestUnreadable(
                f"The images of a request have at most {MOST_PIXELS // 1_000_000} million pixels together; "
                f"with image {number} they have more. Ask in several requests."
            )
        found.append(content)
    return found


def table_rows(tensors: Sequence[RequestTensor]) -> list[dict[str, Any]]:
    """A tensor a feature."""
    columns = {tensor.name: values(tensor) for tensor in tensors}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise RequestUnreadable(f"Every feature needs as many values as the others; they have {sorted(lengths)}.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def table_rows_fit(learned: ReadsColumns, rows: list[dict[str, Any]], missing_allowed: bool) -> None:
    """Raises RequestUnreadable for features that the model does not know, that it misses, or that are no numbers to it.

    A value of null is a missing one; a feature that is not sent at all is a slip, unless `missing_allowed`.
    """
    sent, known = tuple(rows[0]), set(learned.names)
    unknown = [name for name in sent if name not in known]
    if unknown:
        raise RequestUnreadable(f"The model does not know {_listed(unknown)}. It reads {_listed(learned.names)}.")
    missing = [name for name in learned.names if name not in sent]
    if missing and not missing_allowed:
        raise RequestUnreadable(
            f"The request lacks {_listed(missing)}. Send null for a value that is missing, "
            "or the parameter “allow_missing”: true."
        )
    for name in learned.numeric.intersection(sent):
        for number, row in enumerate(rows, start=1):
            if not _is_number(row[name]):
                raise RequestUnreadable(f"“{name[:80]}” is a number, not “{str(row[name])[:40]}” as in row {number}.")


def _is_number(value: Any) -> bool:
    if value is None or value == "":
        return True  # missing, as it was in training
    try:
        return isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name[:80]}”" for name in names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED:,} more"


def refuse_others(tensors: Sequence[RequestTensor], name: str) -> None:
    """Raises RequestUnreadable where more is sent than the one input that the model reads."""
    others = [tensor.name for tensor in tensors if tensor.name != name]
    if others and len(others) < len(tensors):
        raise RequestUnreadable(f"The model reads the input “{name}” only, not {_listed(others)}.")


def named(tensors: Sequence[RequestTensor], name: str) -> RequestTensor:
    found = next((tensor for tensor in tensors if tensor.name == name), None)
    if found is None:
        has = [tensor.name for tensor in tensors]
        raise RequestUnreadable(f"The request needs an input named “{name}”; it has {has}.")
    return found


def values(tensor: RequestTensor) -> list[Any]:
    """One after the other, bytes as text."""
    found = list(_flat(tensor.data))
    if not 0 < len(found) <= MOST_ROWS:
        raise RequestUnreadable(f"Between 1 and {MOST_ROWS:,} rows are answered at once, not {_counted(found)}.")
    shape = list(tensor.shape)
    sides = [side for side in shape if isinstance(side, int) and 0 <= side <= MOST_ROWS]
    if shape and (len(sides) < len(shape) or prod(sides) != len(found)):
        raise RequestUnreadable(f"The shape of “{tensor.name[:80]}” does not hold {len(found)} values.")
    return [_plain(value, tensor.name[:80]) for value in found]


def _flat(data: Any) -> Iterable[Any]:
    """The values of lists in lists, no more of them than one too many."""
    waiting, count = [iter(_items(data))], 0
    while waiting and count <= MOST_ROWS:
        for value in waiting[-1]:
            if isinstance(value, list | tuple | np.ndarray):
                waiting.append(iter(_items(value)))
                break
            yield value
            count += 1
            if count > MOST_ROWS:
                return
        else:
            waiting.pop()


def _items(data: Any) -> Iterable[Any]:
    if isinstance(data, np.ndarray):
        return list(np.asarray(data, dtype=object).reshape(-1).tolist())
    return data if isinstance(data, list | tuple) else [data]


def _counted(found: Sequence[Any]) -> str:
    return "0" if not found else "more"


def _plain(value: Any, name: str) -> Any:
    """Text, truth, null or a finite number. Raises RequestUnreadable."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise RequestUnreadable(f"“{name}” holds bytes that are no UTF-8 text.") from None
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise RequestUnreadable(f"“{name}” holds a NUL character or half a character.")
        return value
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        raise RequestUnreadable(f"“{name}” holds neither text nor a number.")
    try:
        finite = isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise RequestUnreadable(f"“{name}” holds a number that is not finite. Send null for a value that is missing.")
    return value
