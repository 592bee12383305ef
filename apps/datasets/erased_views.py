"""Examples that were deleted on request: the list, and the choice to take an id again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.datasets.erasing import id_allow, tombstones_of
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission

A_PAGE = 50


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def deleted(request: Signed, project: Project) -> HttpResponse:
    page = Paginator(tombstones_of(project), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "datasets/deleted.html", {"project": project, "page": page, "here": "datasets"})


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def allow(request: Signed, project: Project, number: int) -> HttpResponse:
    id_allow(project=project, number=number, by=request.user, at=timezone.now())
    messages.success(request, _("The id is taken again; it becomes a new example."))
    return redirect("datasets:deleted", project.pk)


urlpatterns = [path("deleted/", deleted, name="deleted"), path("deleted/<int:number>/allow/", allow, name="allow")]
