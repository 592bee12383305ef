"""Refusals of the domain become pages, fragments or JSON, whichever was asked for. The API has its own, api_errors."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.errors import DomainError
from fastloop_console.unkept import not_keepable

PAGES = {403: "errors/forbidden.html", 404: "errors/not_found.html"}


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = exception if isinstance(exception, DomainError) else not_keepable(exception)
        return refusal(request, error) if error else None


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The sentence, in the form the browser waits for."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": error.message, "code": error.code, **error.details}, status=error.http_status)
    if getattr(request, "htmx", False):
        return render(request, "_refusal.html", {"error": error}, status=error.http_status)
    page = PAGES.get(error.http_status, "errors/refused.html")
    return render(request, page, {"error": error}, status=error.http_status)
