"""The page that says who in a project is told of what."""

from typing import Any

from django.utils.translation import gettext_lazy

from apps.notices.forms import route_rows, routes_posted
from apps.notices.policies import NOTICE_POLICY
from apps.notices.selectors import usernames_of
from apps.pages.requests import Signed
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
    posted=routes_posted,
    more=_more,
)


policy, policy_set, yaml_set = PAGE.views(see=Permission.VIEW_MONITOR, sets=Permission.SET_MONITORS)
