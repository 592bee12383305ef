"""One shape for every error of the API: {"error": sentence, "code": word, ...details}."""

from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from apps.errors import DomainError
from fastloop_console.unkept import not_keepable


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, DomainError):
        return Response({"error": error.message, "code": error.code, **error.details}, status=error.http_status)
    refused = not_keepable(error)
    if refused:
        set_rollback()
        return Response({"error": refused.message, "code": refused.code}, status=refused.http_status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = {"error": "The request does not fit; see “fields”.", "code": "invalid", "fields": response.data}
    elif isinstance(error, APIException):
        response.data = {"error": str(error.detail), "code": error.get_codes()}
    else:
        response.data = {"error": str((response.data or {}).get("detail", error)), "code": "not_found"}
    return response
