"""The freshness page: what the incremental line lacks against full runs, and when it starts anew by itself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.evaluation import charts
from apps.evaluation.forms import FallBackForm
from apps.evaluation.freshness import gaps_of
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.services.policies import policy_of, policy_set


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def freshness(request: Signed, project: Project) -> HttpResponse:
    policy = policy_of(project)
    form = FallBackForm(initial={name: getattr(policy, name) for name in FallBackForm.base_fields})
    return render(request, "evaluation/freshness.html", _shown(project, form))


def _shown(project: Project, form: FallBackForm) -> dict[str, object]:
    gaps = list(gaps_of(project))
    newest = gaps[0] if gaps else None
    return {"project": project, "gaps": gaps, "newest": newest, "form": form, "here": "training"}


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project) -> HttpResponse:
    return figures_answer(request, {"gaps": charts.gaps(list(gaps_of(project)))})


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def fall_back(request: Signed, project: Project) -> HttpResponse:
    form = FallBackForm(request.POST)
    if not form.is_valid():
        return render(request, "evaluation/freshness.html", _shown(project, form), status=422)
    at_once = policy_of(project).runs_at_once
    policy_set(project=project, runs_at_once=at_once, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("The rules are saved."))
    return go(request, reverse("evaluation:freshness", args=[project.pk]))


urlpatterns = [
    path("freshness/", freshness, name="freshness"),
    path("freshness/figures/", figures, name="freshness_figures"),
    path("freshness/rules/", fall_back, name="fall_back"),
]
