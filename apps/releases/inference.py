"""One question to the champion in the Open Inference Protocol v2, and its answer in words."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from django.utils.translation import gettext

from apps.errors import DomainError, Invalid
from apps.integrations import wiring
from apps.integrations.ports import NotLoaded, Unavailable
from apps.projects import task_types
from apps.projects.task_types.image import MOST_ASKED

Request = dict[str, object]
MOST_BYTES = MOST_ASKED
MOST_DEPTH = 16  # of lists in a request; a tensor has two
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


class PredictorUnavailable(DomainError):
    """Nobody answers at the predictor's address, or not in its words."""

    code = "predictor_unavailable"
    http_status = 503


@dataclass(frozen=True)
class Inference:
    label: str
    confidence: float
    version: str
    latency_ms: float


def request_for(task_type: str, fields: Mapping[str, str], image: bytes | None, example: Mapping[str, Any]) -> Request:
    """Raises Invalid with a sentence. `example` is the features of one stored row: it says which are numbers."""
    payload = task_types.get(task_type).payload
    inputs = payload.inputs([payload.question(fields, image, example)])
    missing = {"parameters": {"allow_missing": True}} if payload.has_features else {}  # a field that is left empty
    return {"inputs": inputs, **missing}


def predict(*, model: str, request: Request) -> dict[str, Any]:
    """What the predictor answers: the one way to it, for the form and for the API.

    Raises PredictorUnavailable, or Invalid where the predictor says that the question is wrong.
    """
    refuse_unsendable(request)
    try:
        return wiring.predictor.infer(model=model, request=request)
    except NotLoaded as cause:
        raise PredictorUnavailable(
            gettext("The predictor is still loading the champion. Ask again in a few seconds.")
        ) from cause
    except Unavailable as cause:
        if cause.permanent:
            raise Invalid(gettext("The predictor does not take this: {cause}").format(cause=cause)) from cause
        raise PredictorUnavailable(
            gettext("{cause} Answers given before are kept; try again in a moment.").format(cause=cause)
        ) from cause


def refuse_unsendable(request: Mapping[str, Any]) -> None:
    """Raises Invalid for what no JSON can carry to the predictor: infinity, NaN, half characters, NUL, bottomless lists."""
    waiting: list[tuple[Any, int]] = [(request, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise Invalid(gettext("The request is nested more than {n} deep.").format(n=MOST_DEPTH))
        if isinstance(value, Mapping):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list | tuple):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and _UNWRITABLE.search(value):
            raise Invalid(gettext("The request holds a NUL character or half a character."))
        elif isinstance(value, int | float) and not _is_finite(value):
            raise Invalid(
                gettext("The request holds a number that is not finite. Send null for a value that is missing.")
            )


def _is_finite(number: float) -> bool:
    try:
        return isfinite(number)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def ask(*, model: str, request: Request) -> Inference:
    """Raises as `predict` does."""
    began = time.perf_counter()
    answer = predict(model=model, request=request)
    return read(answer, latency_ms=1000 * (time.perf_counter() - began))


def answers_in(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Label and confidence of each row that was asked about. Raises PredictorUnavailable where there is none."""
    outputs = {o["name"]: o["data"] for o in answer.get("outputs", [])}
    found = [(str(a), float(b)) for a, b in zip(outputs.get("label", []), outputs.get("confidence", []), strict=False)]
    if not found:
        raise PredictorUnavailable(gettext("The predictor answered without a label. Its log says more."))
    return found


def read(answer: Mapping[str, Any], *, latency_ms: float) -> Inference:
    label, confidence = answers_in(answer)[0]
    version = (answer.get("parameters") or {}).get("model_version") or answer.get("model_version") or "unknown"
    return Inference(label, confidence, str(version), latency_ms)
