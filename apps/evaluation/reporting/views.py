"""The page of a report, its charts, its model card, and the override of its gates."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.evaluation import charts
from apps.evaluation.reporting.card import model_card
from apps.evaluation.reporting.forms import OverrideForm
from apps.evaluation.reporting.overriding import gates_override, may_be_overridden
from apps.evaluation.reporting.page import report_page
from apps.evaluation.reporting.selectors import report_in, version_number_of
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def report(request: Signed, project: Project, run_id: int) -> HttpResponse:
    found = report_in(project, run_id)
    context = {
        "project": project,
        "here": "training",
        "run": found.run,
        "report": found,
        "page": report_page(found),
        "version": version_number_of(found),
        "may_be_overridden": may_be_overridden(found),
    }
    return render(request, "evaluation/report/report.html", context)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project, run_id: int) -> HttpResponse:
    found = report_in(project, run_id)
    page = report_page(found)
    return figures_answer(request, {"confusion": charts.confusion(found), "calibration": charts.calibration(page.bins)})


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def card(request: Signed, project: Project, run_id: int) -> HttpResponse:
    found = report_in(project, run_id)
    text = model_card(report_page(found), model=project.slug, version=version_number_of(found))
    name = f"{project.slug}-run-{found.run.number}.md"
    return HttpResponse(
        text,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@login_required
@project_permission(Permission.OVERRIDE_GATES)
def override(request: Signed, project: Project, run_id: int) -> HttpResponse:
    form = OverrideForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    found = report_in(project, run_id)
    gates_override(report=found, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
    messages.success(request, gettext("The gates are overridden. An engineer can release the model now."))
    return go(request, reverse("reports:report", args=[project.pk, run_id]))
