"""Pages for addresses that do not exist and for faults of ours."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.errors import DomainError, NotFound


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    error: DomainError = NotFound("There is nothing at this address.")
    return render(request, "errors/not_found.html", {"error": error}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """No database, no session: this page must stand when everything else fell."""
    return render(None, "errors/failed.html", status=500)  # type: ignore[arg-type]
