"""The only door to a project: who may do what, asked in one place by pages, API and sockets."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import DomainError, Forbidden, NotFound
from apps.projects.models import Membership, Project
from apps.projects.roles import GRANTS, READING, Permission, Role, roles_with

NO_PROJECT = "There is no such project, or you are not a member of it."


SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ProjectArchived(DomainError):
    """The project can be read, and nothing in it be changed."""

    code = "archived"


def projects_visible_to(user: User, *, archived: bool = False) -> QuerySet[Project]:
    """Those in use, or those in the archive."""
    found = Project.objects.filter(archived_at__isnull=not archived, deleting_since=None)
    return found if user.is_superuser else found.filter(memberships__user=user)


def role_of(user: User | AnonymousUser, project_id: int) -> str | None:
    if not user.is_authenticated:
        return None
    if user.is_superuser:
        return Role.ADMIN
    own = Membership.objects.filter(project_id=project_id, user_id=user.pk, project__deleting_since=None)
    return own.values_list("role", flat=True).first()


def projects_with_roles(user: User, most: int) -> list[tuple[Project, str]]:
    """The first projects that the user may open, each with their role in it, in one query."""
    mine = projects_visible_to(user)
    if user.is_superuser:
        return [(project, str(Role.ADMIN)) for project in mine[:most]]
    found = mine.annotate(own_role=F("memberships__role"))
    return [(project, project.own_role) for project in found[:most]]


def permissions_of(user: User | AnonymousUser, project_id: int) -> frozenset[Permission]:
    role = role_of(user, project_id)
    return GRANTS[role] if role else frozenset()


def may_now(user: User | AnonymousUser, project: Project) -> frozenset[Permission]:
    """What the pages offer: in the archive nothing that changes it."""
    granted = permissions_of(user, project.pk)
    return granted if project.archived_at is None else granted & READING


def project_for(
    user: User, project_id: int, permission: Permission, *, unseen: str = "", changes: bool = False
) -> Project:
    """The project, or NotFound for strangers (they learn nothing), or Forbidden naming the role that is missing.

    ProjectArchived where what is asked for `changes` something and the project is in the archive.

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
    project = Project.objects.filter(pk=project_id, deleting_since=None).first()
    if project is None:  # whoever runs the console is admin everywhere, even where nothing is
        raise NotFound(NO_PROJECT)
    if changes:
        refuse_archived(project)
    return project


def refuse_archived(project: Project) -> None:
    if project.archived_at is not None:
        raise ProjectArchived(
            gettext(
                "“{project}” is in the archive: it can be read, and nothing in it be changed. A manager can take it out "
                "under Settings."
            ).format(project=project.name)
        )


View = Callable[..., HttpResponseBase]


def project_permission(permission: Permission, *, changes: bool | None = None) -> Callable[[View], View]:
    """Decorate `view(request, project, ...)` whose address carries `project_id`.

    What is archived is not changed: `changes` says whether the view does; by itself every method but a reading one.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, project_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
            writes = request.method not in SAFE if changes is None else changes
            project = project_for(cast(User, request.user), project_id, permission, changes=writes)
            request.project = project  # type: ignore[attr-defined]  # the rail of the page reads it
            return view(request, project, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]  # the switcher asks before it leads there
        return checked

    return decorate


def may_create_projects(user: User) -> bool:
    return bool(user.may_create_projects or user.is_superuser)
