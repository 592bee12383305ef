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
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import Rollout
from apps.releases.rollouts import charts, selectors, services
from apps.releases.rollouts.forms import (
    KINDS,
    PolicyLimitsForm,
    ReleasePolicyForm,
    StepRow,
    StopForm,
    limits_of,
    rows_changed,
    rows_of,
    rows_posted,
)
from apps.releases.rollouts.presenters import ReplayedRollout, page_of, presets, steps_in_force
from apps.releases.rollouts.replaying import replay
from apps.rules.rollouts.policy import PolicyRefused, RolloutPolicy, policy_of, policy_of_yaml


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def rollout(request: Signed, project: Project, rollout_id: int) -> HttpResponse:
    row = selectors.rollout_in(project, rollout_id)
    template = "releases/rollouts/_rollout.html" if request.htmx else "releases/rollouts/rollout.html"
    stops = Permission.PROMOTE in permissions_of(
        request.user, project.pk
    )  # in the archive too, where nothing else changes
    return render(request, template, {"project": project, "may_stop": stops, **page_of(row, timezone.now())})


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
    return _policy_page(request, project)


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def policy_set(request: Signed, project: Project) -> HttpResponse:
    """Adding, removing and moving a row shows the form again; nothing is set before its own button."""
    rows, limits = rows_posted(request.POST), PolicyLimitsForm(request.POST)
    if (changed := rows_changed(request.POST, rows)) is not None:
        return _policy_page(request, project, rows=changed, limits=limits)
    if not all([limits.is_valid(), *(row.is_valid() for row in rows)]):
        return _policy_page(request, project, rows=rows, limits=limits, status=422)
    try:
        given = policy_of({"steps": [row.settings() for row in rows], **limits.settings()})
    except PolicyRefused as refused:
        at = refused.at[1] if len(refused.at) > 1 else None
        if isinstance(at, int) and at < len(rows):
            rows[at].fault = str(refused)
        return _policy_page(request, project, rows=rows, limits=limits, fault=str(refused), status=422)
    if "replay" in request.POST:
        past = selectors.rollout_named(project, request.POST.get("rollout", ""))
        told = replay(rollout=past, policy=given, now=timezone.now())
        return _policy_page(request, project, rows=rows, limits=limits, told=ReplayedRollout(past, told))
    return _policy_set(request, project, given)


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def policy_yaml_set(request: Signed, project: Project) -> HttpResponse:
    """What cannot be used stays in the form, with one sentence."""
    form = ReleasePolicyForm(request.POST)
    if form.is_valid():
        try:
            return _policy_set(request, project, policy_of_yaml(form.cleaned_data["policy"]))
        except PolicyRefused as refused:
            form.add_error("policy", str(refused))
    return _policy_page(request, project, yaml_form=form, status=422)


def _policy_set(request: Signed, project: Project, given: RolloutPolicy) -> HttpResponse:
    services.release_policy_set(project=project, policy=given, by=request.user, at=timezone.now())
    messages.success(request, gettext("The policy is set. The next release follows it."))
    return go(request, reverse("releases:policy", args=[project.pk]))


def _policy_page(
    request: Signed,
    project: Project,
    *,
    rows: list[StepRow] | None = None,
    limits: PolicyLimitsForm | None = None,
    yaml_form: ReleasePolicyForm | None = None,
    fault: str = "",
    told: ReplayedRollout | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen = presets().get(request.GET.get("preset", ""))
    shown = chosen.policy if chosen else selectors.policy_in_force(project)
    written = yaml.safe_dump(shown.written(), sort_keys=False, allow_unicode=True)
    context = {
        "project": project,
        "rows": rows_of(shown) if rows is None else rows,
        "kinds": KINDS.items(),
        "limits": limits or limits_of(shown),
        "fault": fault,
        "told": told,
        "past": selectors.replayable(project),
        "form": yaml_form or ReleasePolicyForm(initial={"policy": written}),
        "presets": presets().values(),
        "chosen": request.GET.get("preset", ""),
        "policies": selectors.policies_of(project)[:20],
        "steps": steps_in_force(project),
    }
    return render(request, "releases/rollouts/policy.html", context, status=status)


def _reason(request: Signed) -> str:
    form = StopForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    return str(form.cleaned_data["reason"])


def _back(request: Signed, row: Rollout) -> HttpResponse:
    return go(request, reverse("releases:rollout", args=[row.project_id, row.pk]))
