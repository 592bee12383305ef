"""The export page and the file behind it. Files come in by the upload of the data page."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.accounts.models import User
from apps.datasets.selectors import ingestions_of
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.transfer import selectors
from apps.transfer.services import export_begin

NEWEST_INGESTIONS = 5


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def export(request: HttpRequest, project: Project) -> HttpResponse:
    context = {
        "project": project,
        "task": task_types.get(project.task_type),
        "grains": selectors.grains_of(project),
        "formats": selectors.choices_of(project),
        "exports": selectors.exports_of(project),
        "ingestions": ingestions_of(project)[:NEWEST_INGESTIONS],
        "here": "datasets",
    }
    return render(request, "transfer/export.html", context)


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def file(request: HttpRequest, project: Project) -> HttpResponseBase:
    asked = request.GET
    return export_begin(
        project=project,
        name=asked.get("as", "jsonl"),
        grain=asked.get("what", "labels"),
        content=asked.get("images", "1") == "1",
        by=cast(User, request.user),
        at=timezone.now(),
    )
