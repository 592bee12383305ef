"""What every page of a project shows around its content: the rail with only the places this person may open."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import resolve, reverse

from apps.projects.access import may_now, projects_with_roles, role_of
from apps.projects.models import Project
from apps.projects.roles import GRANTS, Permission, Role


def current_project(request: HttpRequest) -> dict[str, Any]:
    project = getattr(request, "project", None)
    if project is None or not request.user.is_authenticated:
        return {}
    role = role_of(request.user, project.pk)
    mine = projects_with_roles(request.user, 50)
    return {
        "current": project,
        "may": {p.name: True for p in may_now(request.user, project)},
        "may_unarchive": role is not None and Permission.EDIT_PROJECT in GRANTS[role],
        "my_role": Role(role).label.lower() if role else "",
        "switch_to": _ways(request, mine),
    }


# Where a page of one thing leads in another project: to the list that the thing stands in.
LISTS = {
    "training": "training:runs",
    "lineage": "training:runs",
    "datasets": "datasets:data",
    "quality": "quality:overview",
    "evaluation": "evaluation:learning",
}


def _ways(request: HttpRequest, projects: Sequence[tuple[Project, str]]) -> list[tuple[Project, str]]:
    """Each project with the address of the same kind of page, where the role there may open it; else its front page."""
    here = request.resolver_match
    alone = here is not None and set(here.kwargs) == {"project_id"} and request.method == "GET"
    names = [here.view_name] if here and alone else []
    names += [LISTS[here.app_name]] if here and here.app_name in LISTS else []
    asked = [(name, _permission(name, projects[0][0])) for name in names] if projects else []
    return [(each, _way(each, asked, role)) for each, role in projects]


def _permission(name: str, project: Project) -> Any:
    return getattr(resolve(reverse(name, args=[project.pk])).func, "permission", None)


def _way(project: Project, asked: Sequence[tuple[str, Any]], role: str) -> str:
    may = GRANTS.get(role, frozenset())
    name = next((name for name, permission in asked if permission in may), "loop:overview")
    return reverse(name, args=[project.pk])
