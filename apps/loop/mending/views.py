"""Pages of what follows from an alarm: its links, one click each, and the policy."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.loop.mending.forms import MODES, AlarmPolicyForm, form_of
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.selectors import follow_up_of
from apps.loop.mending.services import link_do
from apps.loop.models import MendingLink
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyEdit, PolicyPage
from apps.projects.roles import Permission
from apps.rules.mending import AlarmPolicy


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def alarm(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    """The page of one alarm; its part alone where a page asks for it."""
    context = {"project": project, "here": "monitoring", "follow": follow_up_of(project, alert_id)}
    template = "loop/mending/_follow.html" if request.htmx else "loop/mending/alarm.html"
    return render(request, template, context)


def _done(request: Signed, project: Project, alert_id: int, link: MendingLink, say: str) -> HttpResponse:
    link_do(project=project, alert_id=alert_id, link=link, by=request.user, at=timezone.now())
    messages.success(request, say)
    return go(request, reverse("mending:alarm", args=[project.pk, alert_id]))


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def roll_back(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    return _done(request, project, alert_id, MendingLink.ROLLBACK, gettext("It is taken back."))


@require_POST
@login_required
@project_permission(Permission.ADD_EXAMPLES)
def lane(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    return _done(request, project, alert_id, MendingLink.LANE, gettext("The requests wait for labels."))


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def retrain(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    return _done(request, project, alert_id, MendingLink.RETRAIN, gettext("The run was started."))


def _more(request: Signed, project: Project, in_force: AlarmPolicy, shown: AlarmPolicy) -> dict[str, Any]:
    words = dict(MODES)
    return {
        "here": "monitoring",
        "in_force": in_force,
        "modes": {name: words[getattr(in_force, name).mode] for name in ("rollback", "lane", "retrain")},
        "form": form_of(shown),
    }


def _posted(post: QueryDict) -> PolicyEdit:
    form = AlarmPolicyForm(post)
    return PolicyEdit((), form.policy, {"form": form})


PAGE = PolicyPage(
    kind=ALARM_POLICY,
    template="loop/mending/policy.html",
    address="mending:policy",
    say=gettext_lazy("Set. Open alarms follow it from now on, too."),
    rows_of=lambda policy: (),
    posted=_posted,
    more=_more,
)


policy, policy_set, yaml_set = PAGE.views(see=Permission.VIEW_MONITOR, sets=Permission.SET_MONITORS)
