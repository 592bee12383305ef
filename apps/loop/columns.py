"""The mapping step: what the columns of a file are, asked before a first upload is read, and changed at any time."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.datasets.models import Ingestion, IngestionState
from apps.datasets.selectors import ingestion_of
from apps.errors import Invalid
from apps.loop import services
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.transfer.mapping import FirstLook, guessed, mapping_forget, mapping_of, mapping_set, roles_for

SHOWN_VALUES = 3  # of a column, beside its name


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.ADD_EXAMPLES)
def columns_of_upload(request: Signed, project: Project, ingestion_id: int) -> HttpResponse:
    """The columns of one file that waits; once said, it is read."""
    ingestion = ingestion_of(project, ingestion_id)
    look = services.upload_look(ingestion) if ingestion.state == IngestionState.MAPPING else None
    if look is None:
        return redirect("datasets:data", project.pk)
    if request.method == "GET":
        return _page(request, project, guessed(project, look), look=look, ingestion=ingestion)
    roles, make_ids = _given(request.POST)
    try:
        services.upload_mapped(ingestion=ingestion, roles=roles, make_ids=make_ids, by=request.user, at=timezone.now())
    except Invalid as error:
        return _page(request, project, roles, look=look, ingestion=ingestion, error=error.message, make_ids=make_ids)
    messages.success(request, gettext("“{filename}” is being read.").format(filename=ingestion.filename))
    return redirect("datasets:data", project.pk)


@require_POST
@login_required
@project_permission(Permission.ADD_EXAMPLES)
def upload_drop(request: Signed, project: Project, ingestion_id: int) -> HttpResponse:
    services.upload_drop(ingestion=ingestion_of(project, ingestion_id), at=timezone.now())
    return redirect("datasets:data", project.pk)


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.ADD_EXAMPLES)
def columns(request: Signed, project: Project) -> HttpResponse:
    """What is remembered of this project's files."""
    remembered = mapping_of(project)
    if request.method == "GET":
        return _page(request, project, dict(remembered.roles) if remembered else {})
    if "forget" in request.POST:
        mapping_forget(project=project, by=request.user, at=timezone.now())
        messages.success(request, gettext("Forgotten: from now on every column is what it is called."))
        return redirect("loop:columns", project.pk)
    roles, make_ids = _given(request.POST)
    try:
        mapping_set(project=project, roles=roles, make_ids=make_ids, by=request.user, at=timezone.now())
    except Invalid as error:
        return _page(request, project, roles, error=error.message, make_ids=make_ids)
    messages.success(request, gettext("Remembered for the next file."))
    return redirect("loop:columns", project.pk)


def _given(form: QueryDict) -> tuple[dict[str, str], bool]:
    names, roles = form.getlist("column"), form.getlist("role")
    return dict(zip(names, roles, strict=False)), form.get("make_ids") == "on"


def _page(
    request: Signed,
    project: Project,
    roles: dict[str, str],
    *,
    look: FirstLook | None = None,
    ingestion: Ingestion | None = None,
    error: str = "",
    make_ids: bool | None = None,
) -> HttpResponse:
    remembered = mapping_of(project)
    if make_ids is None:
        make_ids = remembered.make_ids if remembered else "id" not in roles.values()
    lines = [
        (column, role, [v for v in look.values_of(column) if v][:SHOWN_VALUES] if look else [])
        for column, role in roles.items()
    ]
    context: dict[str, Any] = {
        "project": project,
        "ingestion": ingestion,
        "look": look,
        "lines": lines,
        "roles": roles_for(project).items(),
        "remembered": remembered,
        "make_ids": make_ids,
        "error": error,
        "here": "datasets",
    }
    return render(request, "loop/columns.html", context, status=422 if error else 200)
