"""One shape for every error of the API: the problem details of RFC 9457, with a `code` that programs can tell apart.

{"type": "about:blank", "title": "Conflict", "status": 409, "detail": sentence, "code": word, ...details}
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from apps.errors import DiskFull, DomainError, full_disk_behind
from fastloop_console.api_rendering import WholeJSONRenderer
from fastloop_console.unkept import not_keepable

PROBLEM = "application/problem+json"


class ProblemRenderer(WholeJSONRenderer):
    """Errors say of themselves that they are problem details."""

    media_type = PROBLEM
    format = "problem"


def problem(status: int, detail: str, code: str, **details: Any) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **details}


def waiting(error: DomainError) -> dict[str, str]:
    """`Retry-After`, where the refusal says after how many seconds another try is worth it."""
    seconds = error.details.get("retry_after_s")
    return {"Retry-After": str(seconds)} if seconds is not None else {}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """What Django REST framework calls for each exception of a view; None lets it through, as a fault of ours."""
    if isinstance(error, DomainError):
        body = problem(error.http_status, error.message, error.code, **error.details)
        return _as_problem(Response(body, status=error.http_status, headers=waiting(error)), context)
    if full_disk_behind(error):
        return answer(DiskFull("The console's disk is full, so this could not be kept. Free some of it."), context)
    refused = not_keepable(error)
    if refused:
        set_rollback()
        body = problem(refused.http_status, refused.message, refused.code)
        return _as_problem(Response(body, status=refused.http_status), context)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        words = "The request does not fit; see “fields”."
        response.data = problem(response.status_code, words, "invalid", fields=response.data)
    elif isinstance(error, APIException):
        response.data = problem(response.status_code, str(error.detail), str(error.get_codes()))
    else:
        words = str((response.data or {}).get("detail", error))
        response.data = problem(response.status_code, words, "not_found")
    return _as_problem(response, context)


def _as_problem(response: Response, context: dict[str, Any]) -> Response:
    if request := context.get("request"):
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), PROBLEM
    response.content_type = PROBLEM
    return response


def problem_response(status: int, detail: str, code: str) -> JsonResponse:
    """For what answers before any view of the API does: no such address, a body too large."""
    return JsonResponse(problem(status, detail, code), status=status, content_type=PROBLEM)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
