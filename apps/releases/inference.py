"""One question to the champion in the Open Inference Protocol v2, and its answer in words."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from apps.errors import DomainError, Invalid
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.projects import task_types

Request = dict[str, object]
MOST_BYTES = 5_000_000  # of one image; the predictor takes batches, this form takes one


class PredictorAway(DomainError):
    code = "predictor_unavailable"
    http_status = 503


@dataclass(frozen=True)
class Answer:
    label: str
    confidence: float
    version: str
    latency_ms: float


def request_for(task_type: str, fields: Mapping[str, str], image: bytes | None, example: Mapping[str, Any]) -> Request:
    """Raises Invalid with a sentence. `example` is the features of one stored row: it says which are numbers."""
    if task_type == "tabular-classification":
        return {"inputs": _features(fields, example)}
    if task_type == "image-classification":
        return {"inputs": [_bytes("image", _png(image))]}
    return {"inputs": [_bytes("text", _text(fields.get("text", "")))]}


def ask(*, model: str, request: Request) -> Answer:
    """Raises PredictorAway, or Invalid where the predictor says that the question is wrong."""
    began = time.perf_counter()
    try:
        answer = wiring.predictor.infer(model=model, request=request)
    except Unavailable as cause:
        if cause.permanent:
            raise Invalid(gettext("The predictor does not take this: {cause}").format(cause=cause)) from cause
        raise PredictorAway(
            gettext("{cause} Answers given before are kept; try again in a moment.").format(cause=cause)
        ) from cause
    return read(answer, latency_ms=1000 * (time.perf_counter() - began))


def read(answer: Mapping[str, Any], *, latency_ms: float) -> Answer:
    outputs = {o["name"]: o["data"] for o in answer.get("outputs", [])}
    if not outputs.get("label") or not outputs.get("confidence"):
        raise PredictorAway(gettext("The predictor answered without a label. Its log says more."))
    version = (answer.get("parameters") or {}).get("model_version") or answer.get("model_version") or "unknown"
    return Answer(str(outputs["label"][0]), float(outputs["confidence"][0]), str(version), latency_ms)


def _bytes(name: str, value: str) -> Request:
    return {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]}


def _text(text: str) -> str:
    try:
        return str(task_types.TextPayload().read({"text": text}).fields["text"])
    except task_types.PayloadRefused as cause:
        raise Invalid(str(cause), field="text") from None


def _png(image: bytes | None) -> str:
    if not image:
        raise Invalid(gettext("Choose a PNG file first."), field="image")
    if len(image) > MOST_BYTES:
        raise Invalid(
            gettext("The file has {has:.0f} MB; at most {most:.0f} MB are taken here.").format(
                has=len(image) / 1e6, most=MOST_BYTES / 1e6
            ),
            field="image",
        )
    try:
        task_types.ImagePayload().read({"image": image})
    except task_types.PayloadRefused as cause:
        raise Invalid(str(cause), field="image") from None
    return base64.b64encode(image).decode()


def _features(fields: Mapping[str, str], example: Mapping[str, Any]) -> list[Request]:
    """An empty field is left out: the model knows missing values."""
    given = [
        (name, fields[f"feature-{name}"].strip(), value)
        for name, value in example.items()
        if f"feature-{name}" in fields
    ]
    inputs = [_feature(name, text, value) for name, text, value in given if text]
    if not inputs:
        raise Invalid(gettext("Fill in at least one feature."), field="features")
    return inputs


def _feature(name: str, text: str, like: Any) -> Request:
    if not isinstance(like, int | float) or isinstance(like, bool):
        return _bytes(name, text)
    try:
        return {"name": name, "shape": [1], "datatype": "FP64", "data": [float(text.replace(",", "."))]}
    except ValueError:
        raise Invalid(
            gettext("“{name}” needs a number, not “{text}”.").format(name=name, text=text[:40]), field="features"
        ) from None
