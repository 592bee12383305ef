"""One run from its data to its verdict: the page and its live parts."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from apps.evaluation import charts
from apps.evaluation.reading import reading_of
from apps.evaluation.selectors import report_of
from apps.lineage.runs import run_page
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.selectors import lines_of, run_in


def _run_context(project: Project, run_id: int) -> dict[str, object]:
    page = run_page(project, run_id)
    reading = reading_of(page.report) if page.report else None
    return {"project": project, "page": page, "run": page.run, "report": page.report, "reading": reading}


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run(request: Signed, project: Project, run_id: int) -> HttpResponse:
    context = _run_context(project, run_id)
    context |= {"lines": lines_of(run_in(project, run_id)), "here": "training"}  # the rail marks Runs
    return render(request, "lineage/run.html", context)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_head(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "lineage/_head.html", {"project": project, "run": run_in(project, run_id)})


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_progress(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "lineage/_progress.html", _run_context(project, run_id))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_verdict(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "lineage/_verdict.html", _run_context(project, run_id))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_figures(request: Signed, project: Project, run_id: int) -> HttpResponse:
    report = report_of(run_in(project, run_id))
    return JsonResponse({"confusion": charts.confusion(report)} if report else {})


urlpatterns = [
    path("runs/<int:run_id>/", run, name="run"),
    path("runs/<int:run_id>/head/", run_head, name="run_head"),
    path("runs/<int:run_id>/progress/", run_progress, name="run_progress"),
    path("runs/<int:run_id>/verdict/", run_verdict, name="run_verdict"),
    path("runs/<int:run_id>/figures/", run_figures, name="run_figures"),
]
