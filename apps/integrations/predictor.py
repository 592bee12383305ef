"""The model server, over the Open Inference Protocol v2."""

import httpx
from django.conf import settings

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import Unavailable

TIMEOUT_S = 20.0  # the first text request loads the encoder


class HttpPredictor:
    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        url = f"{settings.PREDICTOR_URL}/v2/models/{model}/infer"
        try:
            answer = httpx.post(url, json=request, timeout=TIMEOUT_S)
        except httpx.HTTPError as cause:
            raise Unavailable(f"The predictor at {settings.PREDICTOR_URL} does not answer.") from cause
        if answer.status_code != 200:
            raise Unavailable(_words(answer), permanent=answer.status_code < 500)
        return dict(answer.json())


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("error", answer.text))
    except ValueError:
        return answer.text


PREDICTOR = Integration("predictor", "Open Inference Protocol v2", Port.PREDICTOR, lambda address: HttpPredictor())
