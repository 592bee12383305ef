"""One project's champion behind `/v2/models/<slug>`. Swapping it is one assignment, so no request ever meets half a model."""

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from kserve import InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput
from numpy.typing import NDArray

from apps.monitoring.services import LoggedPrediction
from apps.rules.signature import Signature, signature_of
from workers.encoders import encoder_ready
from workers.predictor.log import PredictionLog
from workers.predictor.requests import missing_allowed, refuse_id
from workers.training.learners import RequestUnreadable
from workers.training.models.bundle import Bundle, predict
from workers.training.models.inputs import Rows


@dataclass(frozen=True)
class LoadedModel:
    """What a request is answered with, from its first line to its last."""

    bundle: Bundle
    version: int
    project_id: int
    artifact_url: str


class ProjectModel(Model):
    """A kserve model whose weights follow the project's champion."""

    def __init__(self, slug: str, crowned: LoadedModel, log: PredictionLog) -> None:
        super().__init__(slug)
        self.crowned, self.log = crowned, log
        self.ready = True

    def crown(self, crowned: LoadedModel) -> None:
        self.crowned = crowned

    def get_input_types(self) -> list[dict[str, Any]]:
        """What `/v2/models/<name>` says of it, as the protocol has it; ranges and values are on the model's page."""
        return self._signature.metadata_inputs

    def get_output_types(self) -> list[dict[str, Any]]:
        return self._signature.metadata_outputs

    @property
    def _signature(self) -> Signature:
        bundle = self.crowned.bundle
        return signature_of(
            {
                "preprocessor": bundle.preprocessor.to_json(),
                "recipe": bundle.recipe.to_dict(),
                "labels": list(bundle.labels),
            }
        )

    async def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        refuse_id(payload.id)
        crowned, began = self.crowned, time.perf_counter()
        loop = asyncio.get_running_loop()
        probabilities = await loop.run_in_executor(None, partial(answer, crowned.bundle, payload))
        latency_ms = (time.perf_counter() - began) * 1000
        labels, confidence = summary(crowned.bundle, probabilities)
        inference_id = payload.id or uuid.uuid4().hex
        self.log.add(_served(crowned, inference_id, labels, confidence, latency_ms))
        return _response(self.name, crowned, inference_id, labels, confidence, probabilities)


def answer(bundle: Bundle, request: InferRequest) -> NDArray[np.float32]:
    """Probabilities (n, classes). Raises InvalidInput with a sentence."""
    try:
        payloads = bundle.learner.payloads(request.inputs)
        bundle.learner.fits(bundle.preprocessor, payloads, missing_allowed(request))
    except RequestUnreadable as fault:
        raise InvalidInput(str(fault)) from None
    rows: Rows = payloads
    if bundle.learner.reads_vectors:  # of the encoder that the model was trained with, whatever the project uses by now
        rows = encoder_ready(bundle.encoder).encode(payloads).astype(np.float32)
    found = predict(bundle, rows)
    lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(lost):
        raise InvalidInput(f"Row {int(lost[0]) + 1} of the request cannot be read: its content is broken.")
    return found


def summary(bundle: Bundle, probabilities: NDArray[np.floating]) -> tuple[list[str], list[float]]:
    """The answer to each row, and how sure it is."""
    places, confidence = bundle.learner.outputs.top(probabilities)
    return [bundle.labels[int(i)] for i in places], [float(p) for p in confidence]


def _served(
    crowned: LoadedModel, inference_id: str, labels: list[str], confidence: list[float], latency_ms: float
) -> list[LoggedPrediction]:
    at = datetime.now(UTC)
    return [
        LoggedPrediction(crowned.project_id, inference_id, at, crowned.version, label, sure, latency_ms)
        for label, sure in zip(labels, confidence, strict=True)
    ]


def _response(
    slug: str, crowned: LoadedModel, inference_id: str, labels: list[str], confidence: list[float], probabilities: Any
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
