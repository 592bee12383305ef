"""From requests to probabilities: read each by itself, ask the network about all their rows at once, give each its own.

Nothing here waits or counts; `batches.py` decides which requests go together.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from kserve.errors import InvalidInput
from numpy.typing import NDArray

from workers.encoders import encoder_ready
from workers.predictor.requests import missing_allowed
from workers.training.learners import RequestUnreadable
from workers.training.learners.requests import RequestTensor
from workers.training.models.bundle import Bundle, predict
from workers.training.models.inputs import Rows
from workers.training.models.words import TextRows

Floats = NDArray[np.float32]


class TensorRequest(Protocol):
    """What is read of a request, whichever way it came."""

    @property
    def inputs(self) -> Sequence[RequestTensor]: ...
    @property
    def parameters(self) -> Any: ...


def answer(bundle: Bundle, request: TensorRequest) -> Floats:
    """Probabilities (n, classes), all by itself. Raises InvalidInput with a sentence."""
    payloads = rows_of(bundle, request)
    if not bundle.learner.reads_vectors:
        return readable(predicted(bundle, payloads))
    return readable(predicted(bundle, TextRows(encoded(bundle.encoder, payloads), payloads)))


def rows_of(bundle: Bundle, request: TensorRequest) -> list[Any]:
    """The payloads that it asks about. Raises InvalidInput with a sentence."""
    try:
        payloads = bundle.learner.payloads(request.inputs)
        bundle.learner.fits(bundle.preprocessor, payloads, missing_allowed(request))
    except RequestUnreadable as fault:
        raise InvalidInput(str(fault)) from None
    return payloads


def encoded(name: str, payloads: Rows) -> Floats:
    """By the encoder that a model was trained with, whatever its project uses by now."""
    return encoder_ready(name).encode(list(payloads)).astype(np.float32)


def predicted(bundle: Bundle, rows: Rows) -> Floats:
    return predict(bundle, rows)


def readable(found: Floats) -> Floats:
    """Raises InvalidInput where a row became no number."""
    if np.isfinite(found).all():
        return found
    lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
    raise InvalidInput(f"Row {int(lost[0]) + 1} of the request cannot be read: its content is broken.")


def apart(work: Callable[[Rows], Floats], requests: Sequence[Rows]) -> list[Floats | Exception]:
    """What `work` makes of each request's rows, in their order, by one call. Where that fails each is asked alone."""
    try:
        found = work(requests[0] if len(requests) == 1 else _joined(requests))
    except Exception as cause:
        return [cause] if len(requests) == 1 else [apart(work, [rows])[0] for rows in requests]
    ends = accumulate(len(rows) for rows in requests)
    return [found[end - len(rows) : end] for end, rows in zip(ends, requests, strict=True)]


def _joined(requests: Sequence[Rows]) -> Rows:
    if isinstance(requests[0], TextRows):
        texts = [text for rows in requests if isinstance(rows, TextRows) for text in rows.texts]
        return TextRows(np.concatenate([np.asarray(rows) for rows in requests]), texts)
    return [row for rows in requests for row in rows]


def summary(bundle: Bundle, probabilities: NDArray[np.floating]) -> tuple[list[str], list[float]]:
    """The answer to each row, and how sure it is."""
    places, confidence = bundle.learner.outputs.top(probabilities)
    return [bundle.labels[int(i)] for i in places], [float(p) for p in confidence]
