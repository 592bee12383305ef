"""Sign in, sign out, and a person's own account: name, password, API tokens."""

import json
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.errors import DomainError, Invalid, TooMany
from apps.live.publish import rights_changed
from apps.pages.requests import Signed, refused
from apps.people import services, tokens
from apps.people.forms import NameForm, PasswordForm, SignInForm, TokenForm, ZoneForm

ZONE_COOKIE = "time_zone"  # what the browser says of itself
MOST_JSON_BYTES = 20_000  # a name and a password


class SignIn(LoginView):
    """Who is signed in already goes on to the projects; a wrong password comes back as 422 with the form."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: str, **kwargs: object) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except TooMany as error:
            return self._too_many(request, error)

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _too_many(self, request: HttpRequest, error: TooMany) -> HttpResponse:
        """The same page with the sentence; what was typed as a name stays."""
        form = SignInForm(request, initial={"username": request.POST.get("username", "")[:150]})
        context = self.get_context_data(form=form, too_many=error.message)
        headers = {"Retry-After": str(error.details.get("retry_after_s", 30))}
        return self.render_to_response(context, status=429, headers=headers)


sign_in = SignIn.as_view()


@require_http_methods(["GET", "POST"])
def sign_in_here(request: HttpRequest) -> HttpResponse:
    """Sign in without leaving the page, for a desk that keeps answers; both ways answer with a token for the next POST."""
    if request.method == "POST":
        form = SignInForm(request, data=_json(request))
        try:
            valid = form.is_valid()
        except TooMany as error:
            return JsonResponse({"error": error.message}, status=429)
        if not valid:
            return JsonResponse(
                {"error": " ".join(str(e) for errors in form.errors.values() for e in errors)}, status=422
            )
        login(request, form.get_user())
    person = request.user.pk if request.user.is_authenticated else None
    return JsonResponse({"csrf": get_token(request), "person": person}, headers={"Cache-Control": "no-store"})


def _json(request: HttpRequest) -> dict[str, str]:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_JSON_BYTES or len(request.body) > MOST_JSON_BYTES:
        raise BodyTooLarge(gettext("A name and a password are shorter than that."))
    try:
        found = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        found = {}
    return {name: str(found.get(name, "")) for name in ("username", "password")} if isinstance(found, dict) else {}


class BodyTooLarge(DomainError):
    code = "too_large"
    http_status = 413


class SignOut(LogoutView):
    """The pages that are open in this browser stop listening too."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        person_id = request.user.pk
        response = super().post(request, *args, **kwargs)
        if person_id is not None:
            rights_changed(person_id)
        return response


sign_out = SignOut.as_view()


def _page(request: Signed, *, status: int = 200, **more: object) -> HttpResponse:
    of_browser = request.COOKIES.get(ZONE_COOKIE, "")
    context = {
        "name_form": NameForm(initial={"display_name": request.user.display_name}),
        "token_form": TokenForm(),
        "password_form": PasswordForm(),
        "zone_form": ZoneForm(of_browser=of_browser, initial={"time_zone": request.user.time_zone}),
        "tokens": tokens.tokens_of(request.user, at=timezone.now()),
    }
    return render(request, "accounts/account.html", context | more, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def account(request: Signed) -> HttpResponse:
    if request.method == "GET":
        return _page(request)
    form = NameForm(request.POST)
    try:
        if form.is_valid():
            named = form.cleaned_data["display_name"]
            services.name_set(user=request.user, display_name=named, at=timezone.now())
            messages.success(request, gettext("Your name is saved."))
            return redirect("accounts:account")
    except Invalid as error:
        refused(form, error)
    return _page(request, name_form=form, status=422)


@require_POST
@login_required
def time_zone(request: Signed) -> HttpResponse:
    form = ZoneForm(request.POST, of_browser=request.COOKIES.get(ZONE_COOKIE, ""))
    if not form.is_valid():
        return _page(request, zone_form=form, status=422)
    services.time_zone_set(user=request.user, zone=form.cleaned_data["time_zone"])
    messages.success(request, gettext("Your time zone is saved."))
    return redirect("accounts:account")


@require_POST
@login_required
def password_change(request: Signed) -> HttpResponse:
    form = PasswordForm(request.POST)
    try:
        if form.is_valid():
            given = form.cleaned_data
            user = services.password_change(
                user=request.user,
                old=given["old"],
                new=given["password"],
                end_tokens=given["end_tokens"],
                at=timezone.now(),
            )
            update_session_auth_hash(request, user)
            messages.success(request, gettext("Your password is changed. Other browsers are signed out."))
            return redirect("accounts:account")
    except Invalid as error:
        refused(form, error)
    return _page(request, password_form=form, status=422)


@require_POST
@login_required
def token_create(request: Signed) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, token_form=form, status=422)
    given = form.cleaned_data
    token = tokens.token_create(
        user=request.user,
        name=given["name"],
        scope=given["scope"],
        lasts=timedelta(days=given["days"]) if given["days"] else None,
        at=timezone.now(),
    )
    response = _page(request, new_token=token)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@login_required
def token_revoke(request: Signed, key: str) -> HttpResponse:
    tokens.token_revoke(owner=request.user, key=key, by=request.user, at=timezone.now())
    messages.success(request, gettext("The token is revoked. Whatever used it is locked out from now on."))
    return redirect("accounts:account")
