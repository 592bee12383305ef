"""Where a one-time link leads: a new account, or a new password."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.models import User
from apps.errors import Invalid
from apps.pages.requests import refused
from apps.people import links
from apps.people.forms import JoinForm, NewPasswordForm
from apps.people.models import LinkKind, OneTimeLink

BACKEND = "apps.people.backend.GuardedBackend"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, words: str) -> HttpResponse:
    found = links.link_for(words, at=timezone.now())
    joins = found.kind == LinkKind.INVITATION
    if request.method == "GET":
        proposed = {"username": found.username, "display_name": found.display_name, "end_tokens": True}
        return _page(request, found, JoinForm(initial=proposed) if joins else NewPasswordForm(initial=proposed))
    form = JoinForm(request.POST) if joins else NewPasswordForm(request.POST)
    try:
        if form.is_valid():
            person = _accepted(found, words, form)
            login(request, person, backend=BACKEND)
            messages.success(request, gettext("You are signed in."))
            return redirect("portfolio:projects")
    except Invalid as error:
        refused(form, error)
    return _page(request, found, form, status=422)


def _accepted(found: OneTimeLink, words: str, form: NewPasswordForm) -> User:
    given, at = form.cleaned_data, timezone.now()
    if found.kind == LinkKind.INVITATION:
        return links.invitation_accept(
            words=words,
            username=given["username"],
            display_name=given["display_name"],
            password=given["password"],
            at=at,
        )
    return links.reset_accept(words=words, password=given["password"], end_tokens=given["end_tokens"], at=at)


def _page(request: HttpRequest, found: OneTimeLink, form: NewPasswordForm, *, status: int = 200) -> HttpResponse:
    template = "accounts/join.html" if found.kind == LinkKind.INVITATION else "accounts/new_password.html"
    return render(request, template, {"link": found, "form": form}, status=status)
