"""The page of Label Studio: the address of our backend, once, and what was last heard."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.label_studio.selectors import backend_of
from apps.label_studio.services import backend_close, backend_open, config_for
from apps.pages.requests import Signed
from apps.pages.sentences import refusal
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.studio import StudioRefused


def _page(request: Signed, project: Project, **more: Any) -> HttpResponse:
    try:
        config, why = config_for(project), ""
    except StudioRefused as cause:
        config, why = "", refusal(cause)
    context = {
        "project": project,
        "here": "projects:settings",
        "backend": backend_of(project),
        "config": config,
        "why_not": why,
    }
    return render(request, "label_studio/settings.html", context | more)


@require_GET
@login_required
@project_permission(Permission.SET_SOURCES)
def show(request: Signed, project: Project) -> HttpResponse:
    return _page(request, project)


@require_POST
@login_required
@project_permission(Permission.SET_SOURCES)
def address(request: Signed, project: Project) -> HttpResponse:
    """Shown in this answer alone: nothing keeps the secret."""
    try:
        secret = backend_open(project=project, by=request.user, at=timezone.now())
    except StudioRefused:
        return _page(request, project)
    made = reverse("studio_backend:health", args=[secret]).removesuffix("/health")
    return _page(request, project, address=request.build_absolute_uri(made))


@require_POST
@login_required
@project_permission(Permission.SET_SOURCES)
def close(request: Signed, project: Project) -> HttpResponse:
    backend_close(project=project, by=request.user, at=timezone.now())
    messages.success(request, gettext("Nobody is answered under that address any more."))
    return redirect("label_studio:settings", project.pk)
