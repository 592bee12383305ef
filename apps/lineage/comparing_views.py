"""The page that holds runs side by side: `?runs=3&runs=5` or `?runs=3,5`."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from apps.errors import DomainError
from apps.lineage.comparing import comparison_of, curves_compared, numbers_asked
from apps.lineage.comparing_charts import overlaid
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.selectors import runs_listed

OFFERED = 25  # newest runs to choose from


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def compare(request: Signed, project: Project) -> HttpResponse:
    """Without runs, or with wrong ones, the page says so and offers the newest to choose from."""
    context: dict[str, Any] = {"project": project, "here": "training"}
    try:
        numbers = numbers_asked(request.GET.getlist("runs"))
        if numbers:
            context["comparison"] = comparison_of(project, numbers)
            return render(request, "lineage/compare.html", context)
        status = 200
    except DomainError as refused:
        context["refused"], status = refused.message, refused.http_status
    context["offered"] = runs_listed(project)[:OFFERED]
    return render(request, "lineage/compare.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project) -> HttpResponse:
    numbers = numbers_asked(request.GET.getlist("runs"))
    return figures_answer(request, overlaid(curves_compared(project, numbers)))


urlpatterns = [path("compare/", compare, name="compare"), path("compare/figures/", figures, name="compare_figures")]
