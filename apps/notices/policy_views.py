"""The page that says who in a project is told of what."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.notices.forms import policy_said, route_rows, route_rows_posted
from apps.notices.policies import NOTICE_POLICY
from apps.notices.selectors import usernames_of
from apps.pages.requests import Signed
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyPage
from apps.projects.roles import Permission
from apps.rules.notices import NoticePolicy


def _more(request: Signed, project: Project, in_force: NoticePolicy, shown: NoticePolicy) -> dict[str, Any]:
    return {"here": "projects:settings", "in_force_rows": route_rows(in_force), "members": usernames_of(project)}


PAGE = PolicyPage(
    kind=NOTICE_POLICY,
    template="notices/policy.html",
    address="notice_policy:policy",
    say=gettext_lazy("It is set who is told of what, from the next notice on."),
    rows_of=route_rows,
    more=_more,
)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def policy(request: Signed, project: Project) -> HttpResponse:
    return PAGE.show(request, project)


@require_POST
@login_required
@project_permission(Permission.SET_MONITORS)
def policy_set(request: Signed, project: Project) -> HttpResponse:
    rows = route_rows_posted(request.POST)
    return PAGE.rows_set(request, project, policy_said(rows), rows)


@require_POST
@login_required
@project_permission(Permission.SET_MONITORS)
def yaml_set(request: Signed, project: Project) -> HttpResponse:
    return PAGE.yaml_set(request, project)
