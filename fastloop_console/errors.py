"""Pages for addresses that do not exist and for faults of ours."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.errors import DomainError, NotFound
from fastloop_console.api_errors import is_api, problem_response
from fastloop_console.middleware import refusal_of


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(404, "There is nothing at this address of the API.", "not_found")
    error: DomainError = NotFound("There is nothing at this address.")
    return render(request, "errors/not_found.html", {"error": error}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """No database, no session: this page must stand when everything else fell. Called where the exception is handled."""
    if full := refusal_of(sys.exc_info()[1]):  # a body that could not be kept fails before any view is asked
        if is_api(request):
            return problem_response(full.http_status, full.message, full.code)
        return HttpResponse(full.message, status=full.http_status, content_type="text/plain; charset=utf-8")
    if is_api(request):
        return problem_response(500, "That was a fault of ours. It was logged; nothing half done was kept.", "fault")
    return render(None, "errors/failed.html", status=500)  # type: ignore[arg-type]
