"""Sign in, sign out, and a person's own account with its API tokens."""

import json
from datetime import timedelta
from typing import cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import selectors, services
from apps.accounts.forms import NameForm, SignInForm, TokenForm
from apps.accounts.models import User


class SignIn(LoginView):
    """Who is signed in already goes on to the projects; a wrong password comes back as 422 with the form."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return self.render_to_response(self.get_context_data(form=form), status=422)


sign_in = SignIn.as_view()


@require_http_methods(["GET", "POST"])
def sign_in_here(request: HttpRequest) -> HttpResponse:
    """Sign in without leaving the page, for a desk that keeps answers; both ways answer with a token for the next POST."""
    if request.method == "POST":
        form = SignInForm(request, data=_json(request))
        if not form.is_valid():
            return JsonResponse(
                {"error": " ".join(str(e) for errors in form.errors.values() for e in errors)}, status=422
            )
        login(request, form.get_user())
    person = request.user.pk if request.user.is_authenticated else None
    return JsonResponse({"csrf": get_token(request), "person": person}, headers={"Cache-Control": "no-store"})


def _json(request: HttpRequest) -> dict[str, str]:
    try:
        found = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        found = {}
    return {name: str(found.get(name, "")) for name in ("username", "password")} if isinstance(found, dict) else {}


sign_out = LogoutView.as_view(http_method_names=["post", "options"])


def _page(request: HttpRequest, *, status: int = 200, **more: object) -> HttpResponse:
    user = cast(User, request.user)
    context = {"name_form": NameForm(instance=user), "token_form": TokenForm(), "tokens": selectors.tokens_of(user)}
    return render(request, "accounts/account.html", context | more, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def account(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request)
    user = selectors.person_as_stored(cast(User, request.user))
    form = NameForm(request.POST, instance=user)
    if not form.is_valid():
        return _page(request, name_form=form, status=422)
    services.name_set(user=user, display_name=form.cleaned_data["display_name"])
    messages.success(request, gettext("Your name is saved."))
    return redirect("accounts:account")


@require_POST
@login_required
def token_create(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, token_form=form, status=422)
    days = form.cleaned_data["days"]
    token = services.token_create(user=cast(User, request.user), lasts=timedelta(days=days) if days else None)
    response = _page(request, new_token=token)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@login_required
def token_revoke(request: HttpRequest, key: str) -> HttpResponse:
    services.token_revoke(user=cast(User, request.user), key=key)
    messages.success(request, gettext("The token is revoked. Whatever used it is locked out from now on."))
    return redirect("accounts:account")
