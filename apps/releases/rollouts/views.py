"""Pages of rollouts: one rollout with its looks, what may be done with it, and the policy of releases."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyEdit, PolicyPage
from apps.projects.roles import Permission
from apps.releases.models import Rollout
from apps.releases.registry.forms import rules_form
from apps.releases.registry.rules import release_rules_of
from apps.releases.rollouts import charts, selectors, services
from apps.releases.rollouts.forms import KINDS, StopForm, limits_of, rows_of, steps_posted
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.presenters import ReplayedRollout, page_of, presets, steps_in_words
from apps.releases.rollouts.replaying import replay
from apps.rules.rollouts.policy import RolloutPolicy, policy_of


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
    return figures_answer(request, charts.figures(policy_of(row.policy), watches))


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


def _more(request: Signed, project: Project, in_force: RolloutPolicy, shown: RolloutPolicy) -> dict[str, Any]:
    return {
        "steps": steps_in_words(in_force),
        "offered": KINDS.items(),
        "limits": limits_of(shown),
        "past": selectors.replayable(project),
        "presets": presets().values(),
        "chosen": request.GET.get("preset", ""),
        "rules_form": rules_form(rules := release_rules_of(project)),
        "rules": rules,
    }


def _begin(request: Signed) -> RolloutPolicy | None:
    chosen = presets().get(request.GET.get("preset", ""))
    return chosen.policy if chosen else None


def _replayed(request: Signed, project: Project, edit: PolicyEdit) -> HttpResponse | None:
    """What these steps would have made of a past rollout, below them. Raises PolicyRefused."""
    if "replay" not in request.POST:
        return None
    tried = PAGE.rows_read(edit.policy(), edit.rows)
    past = selectors.rollout_named(project, request.POST.get("rollout", ""))
    told = ReplayedRollout(past, replay(rollout=past, policy=tried, now=timezone.now()))
    return PAGE.show(request, project, told=told, **edit.again)


PAGE: PolicyPage[Any, RolloutPolicy] = PolicyPage(
    kind=RELEASE_POLICY,
    template="releases/rollouts/policy.html",
    address="releases:policy",
    say=gettext_lazy("The policy is set. The next release follows it."),
    rows_of=rows_of,
    posted=steps_posted,
    more=_more,
    begin=_begin,
    aside=_replayed,
)
policy, policy_set, policy_yaml_set = PAGE.views(see=Permission.VIEW_RUNS, sets=Permission.PROMOTE)


def _reason(request: Signed) -> str:
    form = StopForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    return str(form.cleaned_data["reason"])


def _back(request: Signed, row: Rollout) -> HttpResponse:
    return go(request, reverse("releases:rollout", args=[row.project_id, row.pk]))
