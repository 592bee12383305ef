"""The model server, over the Open Inference Protocol v2. Only this console's own: another one's models are not ours to show."""

from typing import Any

import httpx
from django.conf import settings

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import NotLoaded, PredictorState, Unavailable
from fastloop_console.machine.instance import EXTENSION

TIMEOUT_S = 20.0  # the first text request loads the encoder
LOOK_TIMEOUT_S = 2.0
NOT_FOUND = 404


class HttpPredictor:
    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        url = f"{settings.PREDICTOR_URL}/v2/models/{model}/infer"
        try:
            answer = httpx.post(url, json=request, headers=_key(), timeout=TIMEOUT_S)
        except httpx.HTTPError as cause:
            raise Unavailable(f"The predictor at {settings.PREDICTOR_URL} does not answer.") from cause
        if answer.status_code != 200:
            if self.state() == PredictorState.FOREIGN:
                raise _foreign()
            if answer.status_code == NOT_FOUND:
                raise NotLoaded(f"The predictor has not loaded the champion of {model} yet.")
            raise Unavailable(_words(answer), permanent=answer.status_code < 500)
        body = _object(answer)
        if _object_in(body, "parameters").get("instance") != settings.INSTANCE_ID:
            raise _foreign()
        return body

    def state(self) -> PredictorState:
        try:
            answer = httpx.get(f"{settings.PREDICTOR_URL}/v2", timeout=LOOK_TIMEOUT_S)
        except httpx.HTTPError:
            return PredictorState.ABSENT
        extensions = _object(answer).get("extensions")
        ours = isinstance(extensions, list) and f"{EXTENSION}{settings.INSTANCE_ID}" in extensions
        return PredictorState.OURS if ours else PredictorState.FOREIGN


def _key() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.PREDICTOR_KEY}"}


def _foreign() -> Unavailable:
    return Unavailable(
        f"What answers at {settings.PREDICTOR_URL} is not this console’s predictor. "
        "Set PREDICTOR_PORT or PREDICTOR_URL to where that one is."
    )


def _words(answer: httpx.Response) -> str:
    return str(_object(answer).get("error", answer.text))


def _object(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; an empty one where it is anything else."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _object_in(body: dict[str, Any], name: str) -> dict[str, Any]:
    inner = body.get(name)
    return inner if isinstance(inner, dict) else {}


PREDICTOR = Integration("predictor", "Open Inference Protocol v2", Port.PREDICTOR, lambda address: HttpPredictor())
