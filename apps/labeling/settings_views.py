"""The page that sets how a project's queue runs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.labeling.forms import QueueForm
from apps.labeling.services.queue_settings import queue_settings_set
from apps.pages.requests import Signed, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


def _page(request: Signed, project: Project, form: QueueForm, *, status: int = 200) -> HttpResponse:
    context = {"project": project, "queue_form": form, "here": "projects:settings"}
    return render(request, "labeling/queue.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def queue(request: Signed, project: Project) -> HttpResponse:
    return _page(request, project, QueueForm(project))


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def queue_set(request: Signed, project: Project) -> HttpResponse:
    form = QueueForm(project, request.POST)
    try:
        if form.is_valid():
            queue_settings_set(project=project, by=request.user, at=timezone.now(), **form.settings())
            messages.success(request, gettext("The queue is set."))
            return redirect("queue:settings", project.pk)
    except Invalid as error:
        refused(form, error)
    return _page(request, project, form, status=422)
