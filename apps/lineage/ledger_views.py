"""The page of what training cost."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from apps.lineage.ledger import ledger_of
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def ledger(request: Signed, project: Project) -> HttpResponse:
    months = ledger_of([project]).get(project.pk, ())
    return render(request, "lineage/ledger.html", {"project": project, "months": months, "here": "training"})


urlpatterns = [path("ledger/", ledger, name="ledger")]
