"""Pages of webhooks: the list with a form, one with its messages."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.errors import Invalid, NotFound
from apps.pages.asked import text_asked
from apps.pages.requests import Signed, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.webhooks import selectors, services
from apps.webhooks.forms import WebhookForm
from apps.webhooks.models import DeliveryState, Webhook

MESSAGES_A_PAGE = 25
ACTS = ("test", "rotate", "on", "off")


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def webhooks(request: Signed, project: Project) -> HttpResponse:
    form = WebhookForm(request.POST or None, initial={"format": "standard", "groups": ["alarms", "releases"]})
    status = 200
    if request.method == "POST":
        try:
            if form.is_valid():
                made = services.webhook_add(
                    project=project,
                    by=request.user,
                    at=timezone.now(),
                    console_url=request.build_absolute_uri("/"),
                    **form.given(),
                )
                messages.success(request, gettext("“{name}” is told what happens from now on.").format(name=made.name))
                return redirect("webhooks:webhook", project.pk, made.pk)
        except Invalid as error:
            _refused(form, error)
        status = 422
    context = {"project": project, "lines": selectors.webhook_lines(project), "form": form, "here": "projects:settings"}
    return render(request, "webhooks/webhooks.html", context, status=status)


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def webhook(request: Signed, project: Project, webhook_id: int) -> HttpResponse:
    found = selectors.webhook_of(project, webhook_id)
    form, status = WebhookForm(request.POST or None, initial=WebhookForm.of(found)), 200
    if request.method == "POST":
        try:
            if form.is_valid():
                services.webhook_change(webhook=found, by=request.user, at=timezone.now(), **form.given())
                messages.success(request, gettext("The webhook is changed."))
                return redirect("webhooks:webhook", project.pk, found.pk)
        except Invalid as error:
            _refused(form, error)
        status = 422
    context = _log(request, project, found) | {"form": form, "here": "projects:settings"}
    return render(request, "webhooks/webhook.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def log(request: Signed, project: Project, webhook_id: int) -> HttpResponse:
    """The messages alone, looked at again when one was sent."""
    found = selectors.webhook_of(project, webhook_id)
    return render(request, "webhooks/_messages.html", _log(request, project, found))


@require_POST
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def act(request: Signed, project: Project, webhook_id: int, what: str) -> HttpResponse:
    """One of test, rotate, on, off."""
    if what not in ACTS:
        raise NotFound(gettext("There is no such page."))
    found, by, at = selectors.webhook_of(project, webhook_id), request.user, timezone.now()
    if what == "test":
        services.webhook_test(webhook=found, by=by, at=at)
        said = gettext("A test is on its way.")
    elif what == "rotate":
        services.webhook_rotate(webhook=found, by=by, at=at)
        said = gettext("There is a new secret. The one before is signed with for 24 h more.")
    else:
        services.webhook_switch(webhook=found, on=what == "on", by=by, at=at)
        said = gettext("It is told what happens from now on.") if what == "on" else gettext("It is told nothing more.")
    messages.success(request, said)
    return redirect("webhooks:webhook", project.pk, found.pk)


@require_POST
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def remove(request: Signed, project: Project, webhook_id: int) -> HttpResponse:
    found = selectors.webhook_of(project, webhook_id)
    services.webhook_remove(webhook=found, by=request.user, at=timezone.now())
    messages.success(request, gettext("The webhook “{name}” is removed.").format(name=found.name))
    return redirect("webhooks:webhooks", project.pk)


@require_POST
@login_required
@project_permission(Permission.SET_WEBHOOKS)
def repeat(request: Signed, project: Project, webhook_id: int, delivery_id: int) -> HttpResponse:
    found = selectors.delivery_of(selectors.webhook_of(project, webhook_id), delivery_id)
    services.delivery_repeat(delivery=found, at=timezone.now())
    messages.success(request, gettext("The message is sent again, under the same id."))
    return redirect("webhooks:webhook", project.pk, webhook_id)


def _log(request: Signed, project: Project, found: Webhook) -> dict[str, Any]:
    state = text_asked(request.GET, "state")
    page = Paginator(selectors.deliveries_of(found, state), MESSAGES_A_PAGE).get_page(request.GET.get("page"))
    return {
        "project": project,
        "webhook": found,
        "page": page,
        "state": state,
        "states": DeliveryState.choices,
        "rotating": found.previous_until is not None and timezone.now() < found.previous_until,
    }


def _refused(form: WebhookForm, error: Invalid) -> None:
    if error.details.get("field") == "verbs":
        form.add_error("groups", error.message)
    else:
        refused(form, error)
