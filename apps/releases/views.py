"""Pages of releases: one run from its data to its verdict, the models, promote, roll back, ask the champion."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.evaluation import charts
from apps.evaluation.reading import reading_of
from apps.evaluation.selectors import report_of
from apps.live.answers import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases import inference, selectors, services
from apps.releases.forms import PromoteForm, RollBackForm
from apps.training.selectors import lines_of, run_in


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def models(request: Signed, project: Project) -> HttpResponse:
    template = "releases/_board.html" if request.htmx else "releases/models.html"
    features = selectors.features_like(project) if project.task_type == "tabular-classification" else {}
    return render(request, template, {"project": project, "board": selectors.board_of(project), "features": features})


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def promote(request: Signed, project: Project, version_id: int) -> HttpResponse:
    form = PromoteForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    version = selectors.version_in(project, version_id)
    services.model_promote(version=version, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
    messages.success(request, gettext("v{number} is champion. The predictor loads it.").format(number=version.number))
    return go(request, reverse("releases:models", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def roll_back(request: Signed, project: Project) -> HttpResponse:
    form = RollBackForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The page did not say which champion it saw. Reload it and roll back from there."))
    promotion = services.model_roll_back(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(
        request, gettext("Rolled back to v{number}. The predictor loads it.").format(number=promotion.version.number)
    )
    return go(request, reverse("releases:models", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.PREDICT)
def try_champion(request: Signed, project: Project) -> HttpResponse:
    image = request.FILES.get("image")
    question = inference.request_for(
        project.task_type,
        request.POST.dict(),
        image.read(inference.MOST_BYTES + 1) if image else None,
        selectors.features_like(project),
    )
    answer = inference.ask(model=project.slug, request=question)
    template = "releases/_answer.html" if request.htmx else "releases/answer.html"
    return render(request, template, {"project": project, "answer": answer})


def _run_context(project: Project, run_id: int) -> dict[str, object]:
    page = selectors.run_page(project, run_id)
    reading = reading_of(page.report) if page.report else None
    return {"project": project, "page": page, "run": page.run, "report": page.report, "reading": reading}


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run(request: Signed, project: Project, run_id: int) -> HttpResponse:
    context = _run_context(project, run_id)
    context |= {"lines": lines_of(run_in(project, run_id)), "here": "training"}  # the rail marks Runs
    return render(request, "releases/run.html", context)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_head(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "releases/_head.html", {"project": project, "run": run_in(project, run_id)})


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_progress(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "releases/_progress.html", _run_context(project, run_id))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_verdict(request: Signed, project: Project, run_id: int) -> HttpResponse:
    return render(request, "releases/_verdict.html", _run_context(project, run_id))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def run_figures(request: Signed, project: Project, run_id: int) -> HttpResponse:
    report = report_of(run_in(project, run_id))
    return JsonResponse({"confusion": charts.confusion(report)} if report else {})
