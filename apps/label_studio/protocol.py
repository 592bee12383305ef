"""The ML-backend protocol, as Label Studio 1.23 calls it: /health, /setup, /predict, /webhook and /versions below a secret address.

Label Studio has no key of its own for a backend, so the address is the key. What it cannot use it shows to nobody: reasons of
refusals stand on our page.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.errors import DomainError, Invalid
from apps.label_studio.asking import predictions_for, result_of, version_now
from apps.label_studio.models import StudioBackend
from apps.label_studio.selectors import backend_with
from apps.label_studio.services import backend_seen
from apps.pages.sentences import refusal
from apps.rules.studio import StudioRefused

MOST_TASKS = 5_000  # in one question, as Label Studio sends at most
Answer = Callable[..., JsonResponse]


def of_backend(view: Answer) -> Answer:
    """Who knows the secret, asks. A project that is in the archive, or goes, answers nobody."""

    @csrf_exempt
    @wraps(view)
    def found(request: HttpRequest, secret: str) -> JsonResponse:
        backend = backend_with(secret)
        if backend is None:
            return JsonResponse({"detail": gettext("There is no such address.")}, status=404)
        try:
            return view(request, backend)
        except StudioRefused as cause:
            return JsonResponse({"detail": refusal(cause)}, status=400)
        except DomainError as cause:
            return JsonResponse({"detail": cause.message}, status=cause.http_status)

    return found


def _body(request: HttpRequest) -> dict[str, Any]:
    """Raises Invalid."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Invalid(gettext("The request is no JSON.")) from None
    if not isinstance(body, dict):
        raise Invalid(gettext("The request is JSON but not an object."))
    return body


@require_GET
@of_backend
def health(request: HttpRequest, backend: StudioBackend) -> JsonResponse:
    return JsonResponse({"status": "UP", "model_class": "FastLoop Console"})


@require_POST
@of_backend
def setup(request: HttpRequest, backend: StudioBackend) -> JsonResponse:
    """It comes with the labeling configuration, and with a token of whoever made the project, which nobody here wants."""
    body = _body(request)
    backend_seen(backend=backend, studio=_studio(body), config=str(body.get("schema") or ""), at=timezone.now())
    return JsonResponse({"model_version": version_now(backend.project)})


@require_POST
@of_backend
def predict(request: HttpRequest, backend: StudioBackend) -> JsonResponse:
    body = _body(request)
    tasks = body.get("tasks")
    if not isinstance(tasks, list) or len(tasks) > MOST_TASKS:
        raise Invalid(gettext("“tasks” is a list of at most {most:,}.").format(most=MOST_TASKS))
    config = str(body.get("label_config") or backend.config)
    control = backend_seen(backend=backend, studio=_studio(body), config=config, at=timezone.now())
    version = version_now(backend.project)
    results = [result_of(control, found, version) for found in predictions_for(backend.project, control, tasks)]
    return JsonResponse({"model_version": version, "results": results})


@require_POST
@of_backend
def webhook(request: HttpRequest, backend: StudioBackend) -> JsonResponse:
    """Every event of their project comes here, inside the annotator's own request: it is answered at once."""
    return JsonResponse({})


@require_http_methods(["GET", "POST"])
@of_backend
def versions(request: HttpRequest, backend: StudioBackend) -> JsonResponse:
    """Asked by GET, and by POST of older servers. The champion comes first: no other is ever asked."""
    now = version_now(backend.project)
    return JsonResponse({"versions": [now] if now else []})


def _studio(body: dict[str, Any]) -> str:
    """Their project and their server, in one line for our page."""
    key, server = str(body.get("project") or "").partition(".")[0], str(body.get("hostname") or "")
    return " ".join(part for part in (f"project {key}" if key else "", server) if part)
