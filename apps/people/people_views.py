"""The people of this console, for those who run it: invite, links to new passwords, switch off and on, end access."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.models import User
from apps.audit.selectors import head_of, verbs_of
from apps.audit.services import SITE, chain_intact
from apps.errors import Invalid
from apps.pages.requests import Signed, refused
from apps.people import links, selectors, services, tokens
from apps.people.forms import InvitationForm, RightsForm

PEOPLE_A_PAGE = 50
EVENTS_A_PAGE = 50


def _page(request: Signed, form: InvitationForm, *, status: int = 200, **more: object) -> HttpResponse:
    text = request.GET.get("text", "").strip()
    found = selectors.people_listed(by=request.user, text=text)
    page = Paginator(found, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "listed": selectors.listed(list(page)),
        "text": text,
        "links": list(links.links_open(at=timezone.now())),
        "form": form,
    }
    return render(request, "people/people.html", context | more, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def people(request: Signed) -> HttpResponse:
    if request.method == "GET":
        asked = {"project": request.GET.get("project", ""), "role": request.GET.get("role", "")}
        return _page(request, InvitationForm(initial=asked))
    form = InvitationForm(request.POST)
    links.only_admin(request.user)
    try:
        if form.is_valid():
            words = links.invitation_make(**form.cleaned_data, by=request.user, at=timezone.now())
            return _with_link(_page(request, InvitationForm(), new_link=_address(request, words)))
    except Invalid as error:
        refused(form, error)
    return _page(request, form, status=422)


def _address(request: Signed, words: str) -> str:
    return request.build_absolute_uri(reverse("accounts:link", args=[words]))


def _with_link(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def _person_page(request: Signed, person: User, **more: object) -> HttpResponse:
    context = {
        "person": person,
        "memberships": selectors.memberships_of(person),
        "tokens": tokens.tokens_of(person, at=timezone.now()),
        "rights_form": RightsForm(
            initial={"is_superuser": person.is_superuser, "may_create_projects": person.may_create_projects}
        ),
    }
    return render(request, "people/person.html", context | more)


@require_GET
@login_required
def person(request: Signed, person_id: int) -> HttpResponse:
    return _person_page(request, selectors.person_for(by=request.user, person_id=person_id))


@require_POST
@login_required
def reset(request: Signed, person_id: int) -> HttpResponse:
    found = selectors.person_for(by=request.user, person_id=person_id)
    words = links.reset_make(person=found, by=request.user, at=timezone.now())
    return _with_link(_person_page(request, found, new_link=_address(request, words)))


@require_POST
@login_required
def active_set(request: Signed, person_id: int) -> HttpResponse:
    on = "on" in request.POST
    found = services.active_set(person_id=person_id, active=on, by=request.user, at=timezone.now())
    words = gettext("{name} may sign in again.") if on else gettext("{name} is signed out everywhere and stays out.")
    messages.success(request, words.format(name=found))
    return redirect("people:person", person_id)


@require_POST
@login_required
def access_end(request: Signed, person_id: int) -> HttpResponse:
    found = selectors.person_for(by=request.user, person_id=person_id)
    services.access_end(person=found, end_tokens="tokens" in request.POST, by=request.user, at=timezone.now())
    messages.success(request, gettext("{name} is signed out everywhere.").format(name=found))
    return redirect("people:person", person_id)


@require_POST
@login_required
def rights_set(request: Signed, person_id: int) -> HttpResponse:
    form = RightsForm(request.POST)
    form.is_valid()
    services.rights_set(person_id=person_id, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("Saved. It holds from the next click on."))
    return redirect("people:person", person_id)


@require_POST
@login_required
def token_end(request: Signed, person_id: int, key: str) -> HttpResponse:
    found = selectors.person_for(by=request.user, person_id=person_id)
    tokens.token_revoke(owner=found, key=key, by=request.user, at=timezone.now())
    messages.success(request, gettext("The token is revoked. Whatever used it is locked out from now on."))
    return redirect("people:person", person_id)


@require_POST
@login_required
def link_withdraw(request: Signed, link_id: int) -> HttpResponse:
    links.link_withdraw(link_id=link_id, by=request.user, at=timezone.now())
    messages.success(request, gettext("The link leads nowhere from now on."))
    return redirect("people:people")


@require_GET
@login_required
def trail(request: Signed) -> HttpResponse:
    verb, text = request.GET.get("verb", ""), request.GET.get("text", "").strip()
    events = selectors.site_events(by=request.user, verb=verb, text=text)
    page = Paginator(events, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "verbs": verbs_of(SITE), "verb": verb, "text": text}
    if "check" in request.GET:
        context |= {"checked": True, "intact": chain_intact(SITE), "head": head_of(SITE)}
    return render(request, "people/trail.html", context)
