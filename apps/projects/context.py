"""What every page of a project shows around its content: the rail with only the places this person may open."""

from typing import Any

from django.http import HttpRequest

from apps.projects.access import permissions_of, projects_visible_to, role_of
from apps.projects.roles import Role


def current_project(request: HttpRequest) -> dict[str, Any]:
    project = getattr(request, "project", None)
    if project is None or not request.user.is_authenticated:
        return {}
    role = role_of(request.user, project.pk)
    return {
        "current": project,
        "may": {p.name: True for p in permissions_of(request.user, project.pk)},
        "my_role": Role(role).label.lower() if role else "",
        "my_projects": list(projects_visible_to(request.user)[:50]),
    }
