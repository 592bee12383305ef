"""One run from its data to its verdict: the page and its live parts."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.evaluation import charts
from apps.evaluation.reading import reading_of
from apps.evaluation.selectors import report_of
from apps.lineage.runs import run_page
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.describe_forms import DescribeForm
from apps.training.selectors import lines_of, run_in
from apps.training.services.clones import differences_now
from apps.training.services.describing import run_describe as described


def _run_context(project: Project, run_id: int) -> dict[str, Any]:
    page = run_page(project, run_id)
    reading = reading_of(page.report) if page.report else None
    return {"project": project, "page": page, "run": page.run, "report": page.report, "reading": reading}


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run(request: Signed, project: Project, run_id: int) -> HttpResponse:
    context = _run_context(project, run_id)
    context |= {"lines": lines_of(run_in(project, run_id)), "here": "training"}  # the rail marks Runs
    context |= {"form": DescribeForm.of(context["run"]), "differs": differences_now(context["run"])}
    return render(request, "lineage/run.html", context)


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def run_describe(request: Signed, project: Project, run_id: int) -> HttpResponse:
    """Whoever has no scripts gets the whole page back where it was not taken."""
    form = DescribeForm(request.POST)
    try:
        if form.is_valid():
            described(run=run_in(project, run_id), change=form.change(), by=request.user, at=timezone.now())
            return go(request, reverse("lineage:run", args=[project.pk, run_id]))
    except Invalid as error:
        refused(form, error)
    context = _run_context(project, run_id) | {"form": form, "here": "training"}
    if request.htmx:
        return render(request, "lineage/_described.html", context, status=422)
    context |= {"lines": lines_of(run_in(project, run_id)), "differs": differences_now(context["run"])}
    return render(request, "lineage/run.html", context, status=422)


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
    return figures_answer(request, {"confusion": charts.confusion(report)} if report else {})


urlpatterns = [
    path("runs/<int:run_id>/", run, name="run"),
    path("runs/<int:run_id>/head/", run_head, name="run_head"),
    path("runs/<int:run_id>/describe/", run_describe, name="run_describe"),
    path("runs/<int:run_id>/progress/", run_progress, name="run_progress"),
    path("runs/<int:run_id>/verdict/", run_verdict, name="run_verdict"),
    path("runs/<int:run_id>/figures/", run_figures, name="run_figures"),
]
