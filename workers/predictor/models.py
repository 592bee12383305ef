"""One project's champion behind `/v2/models/<slug>`. Swapping it is one assignment, so no request ever meets half a model."""

import asyncio
import base64
import binascii
import io
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from kserve import InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput
from PIL import Image

from apps.monitoring.services import Served
from workers.encoders import encoder_ready
from workers.predictor.log import PredictionLog
from workers.training.models.bundle import Bundle, predict
from workers.training.models.inputs import Rows

MOST_ROWS = 1024  # a request; larger jobs are split by the client


@dataclass(frozen=True)
class Crowned:
    """What a request is answered with, from its first line to its last."""

    bundle: Bundle
    version: int
    project_id: int


class ProjectModel(Model):
    """A kserve model whose weights follow the project's champion."""

    def __init__(self, slug: str, crowned: Crowned, log: PredictionLog) -> None:
        super().__init__(slug)
        self.crowned, self.log = crowned, log
        self.ready = True

    def crown(self, crowned: Crowned) -> None:
        self.crowned = crowned

    async def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        crowned, began = self.crowned, time.perf_counter()
        loop = asyncio.get_running_loop()
        probabilities = await loop.run_in_executor(None, partial(answer, crowned.bundle, payload))
        latency_ms = (time.perf_counter() - began) * 1000
        labels, confidence = summary(crowned.bundle.labels, probabilities)
        inference_id = payload.id or uuid.uuid4().hex
        self.log.add(_served(crowned, inference_id, labels, confidence, latency_ms))
        return _response(self.name, crowned, inference_id, labels, confidence, probabilities)


def answer(bundle: Bundle, request: InferRequest) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Probabilities (n, classes). Raises InvalidInput with a sentence."""
    return predict(bundle, READERS[bundle.task_type](request, bundle))


def summary(labels: Sequence[str], probabilities: "np.ndarray[Any, Any]") -> tuple[list[str], list[float]]:
    best = probabilities.argmax(axis=1)
    return [labels[int(i)] for i in best], [float(p) for p in probabilities.max(axis=1)]


def _texts(request: InferRequest, bundle: Bundle) -> Rows:
    """Vectors of the encoder that the model was trained with, whatever the project uses by now."""
    texts = _flat(_input(request, "text"))
    if any(not isinstance(t, str) or not t.strip() for t in texts):
        raise InvalidInput("Every text must be a string that is not empty.")
    return encoder_ready(bundle.encoder).encode(texts).astype(np.float32)


def _images(request: InferRequest, bundle: Bundle) -> Rows:
    images = []
    for value in _flat(_input(request, "image")):
        try:
            content = base64.b64decode(value, validate=True)
            Image.open(io.BytesIO(content)).verify()
        except (binascii.Error, ValueError, TypeError, OSError, SyntaxError):
            raise InvalidInput("Every image must be a PNG in base64.") from None
        images.append(content)
    return images


def _tables(request: InferRequest, bundle: Bundle) -> Rows:
    columns = {tensor.name: _flat(tensor) for tensor in request.inputs}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise InvalidInput(f"Every feature needs as many values as the others; they have {sorted(lengths)}.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


READERS: dict[str, Callable[[InferRequest, Bundle], Rows]] = {
    "text-classification": _texts,
    "image-classification": _images,
    "tabular-classification": _tables,
}


def _input(request: InferRequest, name: str) -> Any:
    found = next((tensor for tensor in request.inputs if tensor.name == name), None)
    if found is None:
        raise InvalidInput(f"The request needs an input named “{name}”; it has {[t.name for t in request.inputs]}.")
    return found


def _flat(tensor: Any) -> list[Any]:
    values = np.asarray(tensor.data, dtype=object).reshape(-1).tolist()
    if not 0 < len(values) <= MOST_ROWS:
        raise InvalidInput(f"Between 1 and {MOST_ROWS:,} rows are answered at once, not {len(values):,}.")
    if list(tensor.shape) and int(np.prod(tensor.shape)) != len(values):
        raise InvalidInput(f"The shape {list(tensor.shape)} of “{tensor.name}” does not hold {len(values)} values.")
    return [v.decode() if isinstance(v, bytes) else v for v in values]


def _served(
    crowned: Crowned, inference_id: str, labels: list[str], confidence: list[float], latency_ms: float
) -> list[Served]:
    at = datetime.now(UTC)
    return [
        Served(crowned.project_id, inference_id, at, crowned.version, label, sure, latency_ms)
        for label, sure in zip(labels, confidence, strict=True)
    ]


def _response(
    slug: str, crowned: Crowned, inference_id: str, labels: list[str], confidence: list[float], probabilities: Any
) -> InferResponse:
    n, classes = probabilities.shape
    return InferResponse(
        response_id=inference_id,
        model_name=slug,
        model_version=str(crowned.version),
        infer_outputs=[
            InferOutput("label", [n], "BYTES", labels),
            InferOutput("confidence", [n], "FP64", confidence),
            InferOutput("probabilities", [n, classes], "FP64", [float(p) for p in probabilities.reshape(-1)]),
        ],
        parameters={
            "model_version": crowned.version,
            "alias": "champion",
            "labels": "\n".join(crowned.bundle.labels),
            "instance": settings.INSTANCE_ID,  # whoever asks compares it: a stranger may answer at our port
        },
    )
