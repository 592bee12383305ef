"""What a request to the predictor asks about: payloads from the tensors of the Open Inference Protocol v2."""

import base64
import binascii
import io
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from PIL import Image

MOST_ROWS = 1024  # a request; larger jobs are split by the client


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


def texts(tensors: Sequence[RequestTensor]) -> list[str]:
    found = values(named(tensors, "text"))
    if any(not isinstance(text, str) or not text.strip() for text in found):
        raise RequestUnreadable("Every text must be a string that is not empty.")
    return found


def images(tensors: Sequence[RequestTensor]) -> list[bytes]:
    """Each as it was encoded."""
    found = []
    for value in values(named(tensors, "image")):
        try:
            content = base64.b64decode(value, validate=True)
            Image.open(io.BytesIO(content)).verify()
        except (binascii.Error, ValueError, TypeError, OSError, SyntaxError):
            raise RequestUnreadable("Every image must be a PNG in base64.") from None
        found.append(content)
    return found


def table_rows(tensors: Sequence[RequestTensor]) -> list[dict[str, Any]]:
    """A tensor a feature."""
    columns = {tensor.name: values(tensor) for tensor in tensors}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise RequestUnreadable(f"Every feature needs as many values as the others; they have {sorted(lengths)}.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def named(tensors: Sequence[RequestTensor], name: str) -> RequestTensor:
    found = next((tensor for tensor in tensors if tensor.name == name), None)
    if found is None:
        has = [tensor.name for tensor in tensors]
        raise RequestUnreadable(f"The request needs an input named “{name}”; it has {has}.")
    return found


def values(tensor: RequestTensor) -> list[Any]:
    """One after the other, bytes as text."""
    found = np.asarray(tensor.data, dtype=object).reshape(-1).tolist()
    if not 0 < len(found) <= MOST_ROWS:
        raise RequestUnreadable(f"Between 1 and {MOST_ROWS:,} rows are answered at once, not {len(found):,}.")
    if list(tensor.shape) and int(np.prod(tensor.shape)) != len(found):
        raise RequestUnreadable(f"The shape {list(tensor.shape)} of “{tensor.name}” does not hold {len(found)} values.")
    return [value.decode() if isinstance(value, bytes) else value for value in found]
