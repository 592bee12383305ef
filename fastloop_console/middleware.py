"""Refusals of the domain become pages, fragments or JSON, whichever was asked for. The API has its own, api_errors."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from apps.errors import DiskFull, DomainError, full_disk_behind
from fastloop_console.unkept import not_keepable

logger = logging.getLogger(__name__)
PAGES = {403: "errors/forbidden.html", 404: "errors/not_found.html"}


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        refused = refusal_of(exception)
        return refusal(request, refused) if refused else None


def refusal_of(exception: BaseException | None) -> DomainError | None:
    """What to say of an exception in words; None for a fault of ours."""
    if isinstance(exception, DomainError):
        return exception
    if full_disk_behind(exception):
        logger.error("The disk is full: %s", exception)
        return DiskFull(
            gettext("The console’s disk is full, so this could not be kept. Free some of it, then send it again.")
        )
    return not_keepable(exception) if exception is not None else None


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The sentence, in the form the browser waits for."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": error.message, "code": error.code, **error.details}, status=error.http_status)
    if getattr(request, "htmx", False):
        return render(request, "_refusal.html", {"error": error}, status=error.http_status)
    page = PAGES.get(error.http_status, "errors/refused.html")
    return render(request, page, {"error": error}, status=error.http_status)
