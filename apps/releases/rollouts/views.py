"""Pages of rollouts: one rollout with its looks, what may be done with it, and the policy of releases."""

import yaml
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import Rollout
from apps.releases.rollouts import charts, selectors, services
from apps.releases.rollouts.forms import ReleasePolicyForm, StopForm
from apps.releases.rollouts.presenters import page_of, presets, steps_in_force
from apps.rules.rollouts.policy import PolicyRefused, policy_of, policy_of_yaml


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def rollout(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    template = "releases/rollouts/_rollout.html" if request.htmx else "releases/rollouts/rollout.html"
    return render(request, template, {"project": project, **page_of(row, timezone.now())})


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    watches = selectors.watches_of(row, timezone.now())
    return JsonResponse(charts.figures(policy_of(row.policy), watches))


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def pause(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    services.rollout_pause(rollout=row, by=request.user, at=timezone.now())
    return _back(request, row)


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def resume(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    services.rollout_resume(rollout=row, by=request.user, at=timezone.now())
    return _back(request, row)


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def promote(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    services.rollout_promote(rollout=row, reason=_reason(request), by=request.user, at=timezone.now())
    return _back(request, row)


@require_POST
@login_required
@project_permission(Permission.PROMOTE, changes=False)  # what is on its way may be stopped in the archive too
def abort(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    services.rollout_abort(rollout=row, reason=_reason(request), by=request.user, at=timezone.now())
    messages.success(
        request, gettext("v{number} meets nobody any more; the champion answers.").format(number=row.version.number)
    )
    return _back(request, row)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def policy(request: Signed, project: Project) -> HttpResponse:
    chosen = presets().get(request.GET.get("preset", ""))
    written = (chosen.policy if chosen else selectors.policy_in_force(project)).written()
    form = ReleasePolicyForm(initial={"policy": yaml.safe_dump(written, sort_keys=False, allow_unicode=True)})
    return _policy_page(request, project, form)


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def policy_set(request: Signed, project: Project) -> HttpResponse:
    """What cannot be used stays in the form, with one sentence."""
    form = ReleasePolicyForm(request.POST)
    if form.is_valid():
        try:
            given = policy_of_yaml(form.cleaned_data["policy"])
        except PolicyRefused as refused:
            form.add_error("policy", str(refused))
        else:
            services.release_policy_set(project=project, policy=given, by=request.user, at=timezone.now())
            messages.success(request, gettext("The policy is set. The next release follows it."))
            return go(request, reverse("releases:policy", args=[project.pk]))
    return _policy_page(request, project, form)


def _policy_page(request: Signed, project: Project, form: ReleasePolicyForm) -> HttpResponse:
    context = {
        "project": project,
        "form": form,
        "presets": presets().values(),
        "chosen": request.GET.get("preset", ""),
        "policies": selectors.policies_of(project)[:20],
        "steps": steps_in_force(project),
    }
    return render(request, "releases/rollouts/policy.html", context, status=422 if form.errors else 200)


def _reason(request: Signed) -> str:
    form = StopForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    return str(form.cleaned_data["reason"])


def _back(request: Signed, row: Rollout) -> HttpResponse:
    return go(request, reverse("releases:rollout", args=[row.project_id, row.pk]))
