"""Where the browser goes after a write: a plain form is redirected, htmx is told to load the page."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from apps.accounts.models import User


class Signed(HttpRequest):
    """A request behind `login_required`: its user is a person."""

    user: User
    htmx: HtmxDetails


def go(request: HttpRequest, url: str) -> HttpResponse:
    """A fragment's target must not receive a whole page, which following a redirect would give it."""
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)
