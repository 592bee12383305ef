"""The only door to a project: who may do what, asked in one place by pages, API and sockets."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import Forbidden, NotFound
from apps.projects.models import Membership, Project
from apps.projects.roles import GRANTS, Permission, Role, roles_with

NO_PROJECT = "There is no such project, or you are not a member of it."


def projects_visible_to(user: User) -> QuerySet[Project]:
    if user.is_superuser:
        return Project.objects.all()
    return Project.objects.filter(memberships__user=user)


def role_of(user: User | AnonymousUser, project_id: int) -> str | None:
    if not user.is_authenticated:
        return None
    if user.is_superuser:
        return Role.ADMIN
    return Membership.objects.filter(project_id=project_id, user_id=user.pk).values_list("role", flat=True).first()


def projects_with_roles(user: User, most: int) -> list[tuple[Project, str]]:
    """The first projects that the user may open, each with their role in it, in one query."""
    if user.is_superuser:
        return [(project, str(Role.ADMIN)) for project in Project.objects.all()[:most]]
    found = Project.objects.filter(memberships__user=user).annotate(own_role=F("memberships__role"))
    return [(project, project.own_role) for project in found[:most]]


def permissions_of(user: User | AnonymousUser, project_id: int) -> frozenset[Permission]:
    role = role_of(user, project_id)
    return GRANTS[role] if role else frozenset()


def project_for(user: User, project_id: int, permission: Permission, *, unseen: str = "") -> Project:
    """The project, or NotFound for strangers (they learn nothing), or Forbidden naming the role that is missing.

    `unseen` is the sentence for strangers where the address names a part of the project: that of a part that is not there.
    """
    role = role_of(user, project_id)
    if role is None:
        raise NotFound(unseen or NO_PROJECT)
    if permission not in GRANTS[role]:
        needed = " or ".join(r.lower() for r in roles_with(permission))
        raise Forbidden(
            gettext(
                "To {value} you need the role {needed}. Yours is {role}. A manager or admin of the project "
                "can change it."
            ).format(value=permission.value, needed=needed, role=Role(role).label.lower()),
            project_id=project_id,
        )
    project = Project.objects.filter(pk=project_id).first()
    if project is None:  # whoever runs the console is admin everywhere, even where nothing is
        raise NotFound(NO_PROJECT)
    return project


View = Callable[..., HttpResponseBase]


def project_permission(permission: Permission) -> Callable[[View], View]:
    """Decorate `view(request, project, ...)` whose address carries `project_id`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, project_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
            project = project_for(cast(User, request.user), project_id, permission)
            request.project = project  # type: ignore[attr-defined]  # the rail of the page reads it
            return view(request, project, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]  # the switcher asks before it leads there
        return checked

    return decorate


def may_create_projects(user: User) -> bool:
    return bool(user.may_create_projects or user.is_superuser)
