"""From requests to probabilities: read each by itself, ask the network about all their rows at once, give each its own.

Nothing here waits or counts; `batches.py` decides which requests go together.
"""

from collections.abc import Sequence
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

Probabilities = NDArray[np.float32]


class TensorRequest(Protocol):
    """What is read of a request, whichever way it came."""

    @property
    def inputs(self) -> Sequence[RequestTensor]: ...


def answer(bundle: Bundle, request: TensorRequest) -> Probabilities:
    """Probabilities (n, classes). Raises InvalidInput with a sentence."""
    (found,) = answers(bundle, [rows_of(bundle, request)])
    if isinstance(found, Exception):
        raise found
    return found


def rows_of(bundle: Bundle, request: TensorRequest) -> list[Any]:
    """The payloads that it asks about. Raises InvalidInput with a sentence."""
    try:
        payloads = bundle.learner.payloads(request.inputs)
        bundle.learner.fits(bundle.preprocessor, payloads, missing_allowed(request))
    except RequestUnreadable as fault:
        raise InvalidInput(str(fault)) from None
    return payloads


def answers(bundle: Bundle, requests: Sequence[list[Any]]) -> list[Probabilities | Exception]:
    """One for each request, in their order, by one forward pass. Where that fails each is asked alone: one fails alone."""
    try:
        found = _probabilities(bundle, [row for rows in requests for row in rows])
    except Exception as cause:
        if len(requests) == 1:
            return [cause]
        return [answers(bundle, [rows])[0] for rows in requests]
    ends = accumulate(len(rows) for rows in requests)
    return [_whole(found[end - len(rows) : end]) for end, rows in zip(ends, requests, strict=True)]


def _probabilities(bundle: Bundle, payloads: list[Any]) -> Probabilities:
    rows: Rows = payloads
    if bundle.learner.reads_vectors:  # of the encoder that the model was trained with, whatever the project uses by now
        rows = encoder_ready(bundle.encoder).encode(payloads).astype(np.float32)
    return predict(bundle, rows)


def _whole(found: Probabilities) -> Probabilities | InvalidInput:
    lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(lost):
        return InvalidInput(f"Row {int(lost[0]) + 1} of the request cannot be read: its content is broken.")
    return found


def summary(bundle: Bundle, probabilities: NDArray[np.floating]) -> tuple[list[str], list[float]]:
    """The answer to each row, and how sure it is."""
    places, confidence = bundle.learner.outputs.top(probabilities)
    return [bundle.labels[int(i)] for i in places], [float(p) for p in confidence]
