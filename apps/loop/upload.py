"""An uploaded file. Not in apps.datasets, because reading it also fills the queue and asks for vectors."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.datasets.models import Ingestion, IngestionState
from apps.datasets.views import data_page
from apps.errors import Invalid
from apps.loop.services import upload_take
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


@require_POST
@login_required
@project_permission(Permission.ADD_EXAMPLES)
def upload(request: HttpRequest, project: Project) -> HttpResponse:
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        ingestion = _taken(request, project)
    except Invalid as error:
        if wants_json:
            raise
        return data_page(request, project, upload_error=error.message, status=422)
    asks = ingestion.state == IngestionState.MAPPING
    place = reverse("loop:columns_of_upload", args=[project.pk, ingestion.pk]) if asks else ""
    if wants_json:
        return JsonResponse({"ingestion": ingestion.pk, "filename": ingestion.filename, "columns": place}, status=202)
    if place:
        return redirect(place)
    messages.success(request, gettext("“{filename}” is here and is being read.").format(filename=ingestion.filename))
    return redirect("datasets:data", project.pk)


def _taken(request: HttpRequest, project: Project) -> Ingestion:
    if request.content_type != "multipart/form-data":
        raise Invalid(gettext("Send the file as a form, multipart/form-data, in the field “file”."), field="file")
    file = request.FILES.get("file")
    if file is None or not file.name:
        raise Invalid(gettext("Choose a file first."), field="file")
    return upload_take(
        project=project,
        filename=file.name,
        size_bytes=file.size or 0,
        chunks=file.chunks(),
        by=cast(User, request.user),
        at=timezone.now(),
        may_ask=True,
    )
