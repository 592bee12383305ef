"""Where the browser goes after a write: a plain form is redirected, htmx is told to load the page."""

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from apps.accounts.models import User
from apps.errors import Invalid


class Signed(HttpRequest):
    """A request behind `login_required`: its user is a person."""

    user: User
    htmx: HtmxDetails


def go(request: HttpRequest, url: str) -> HttpResponse:
    """A fragment's target must not receive a whole page, which following a redirect would give it."""
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)


def refused(form: Form, error: Invalid) -> None:
    """The service's sentence beside the field it is about."""
    field = error.details.get("field", "")
    form.add_error(field if field in form.fields else None, error.message)
