"""The page of a model's lineage."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from apps.lineage.lineage import lineage_of
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def lineage(request: Signed, project: Project, version_id: int) -> HttpResponse:
    context = {"project": project, "lineage": lineage_of(project, version_id), "here": "releases"}
    return render(request, "lineage/lineage.html", context)


urlpatterns = [path("<int:version_id>/lineage/", lineage, name="lineage")]
