"""Give people roles in a project, and take them away."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Forbidden, Invalid
from apps.live.publish import rights_changed
from apps.projects.access import permissions_of, role_of
from apps.projects.models import Membership, Project
from apps.projects.roles import GRANTS, Role
from apps.rules.sentences import lowered, sentence


@transaction.atomic
def member_set(*, project: Project, username: str, role: str, by: User, at: datetime) -> Membership:
    """Give a person a role, or change it. Raises Forbidden and Invalid in words.

    Only an admin makes or unmakes admins; the last one keeps theirs. Nobody changes their own role, and nobody gives
    a role with rights that they lack: a manager who could would make themselves or a friend engineer, and promote.
    """
    if role not in Role.values:
        raise Invalid(
            gettext("The role “{role}” is not known. Known are {values}.").format(
                role=role, values=", ".join(Role.values)
            ),
            field="role",
        )
    person = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if person is None:
        raise Invalid(gettext("Nobody signs in as “{username}”.").format(username=username), field="username")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = Membership.objects.filter(project=project, user=person).first()
    if before and before.role == role:
        return before
    if Role.ADMIN in (role, before.role if before else ""):
        _only_by_admin(project, by)
    if before and before.role == Role.ADMIN and role != Role.ADMIN:
        _keep_one_admin(project)
    _not_for_oneself(person, by, project)
    _only_what_one_has(role, by, project)
    membership, _ = Membership.objects.update_or_create(project=project, user=person, defaults={"role": role})
    event_record(
        project_id=project.pk,
        verb=Verb.MEMBER_SET,
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} made {person} {role}.", by=by, person=person.signed, role=lowered(english(Role(role).label))
        ),
        before={"role": before.role if before else None},
        after={"role": role},
    )
    rights_changed(person.pk)
    return membership


@transaction.atomic
def member_remove(*, project: Project, user_id: int, by: User, at: datetime) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    membership = Membership.objects.select_related("user").filter(project=project, user_id=user_id).first()
    if membership is None:
        return
    if membership.role == Role.ADMIN:
        _only_by_admin(project, by)
        _keep_one_admin(project)
    event_record(
        project_id=project.pk,
        verb=Verb.MEMBER_REMOVED,
        subject=f"user {user_id}",
        by=by,
        at=at,
        sentence=sentence("{by} removed {person}.", by=by, person=membership.user.signed),
        before={"role": membership.role},
    )
    membership.delete()
    rights_changed(user_id)


def _not_for_oneself(person: User, by: User, project: Project) -> None:
    if person.pk == by.pk:
        words = gettext("Nobody changes their own role. Ask another admin of the project.")
        raise Forbidden(words, project_id=project.pk)


def _only_what_one_has(role: str, by: User, project: Project) -> None:
    lacking = GRANTS[role] - permissions_of(by, project.pk)
    if lacking:
        words = gettext("The role {role} may {values}, which you may not. An admin of the project can give it.")
        values = ", ".join(sorted(p.value for p in lacking))
        raise Forbidden(words.format(role=Role(role).label.lower(), values=values), project_id=project.pk)


def _only_by_admin(project: Project, by: User) -> None:
    """A manager who could make admins could make themselves one, and then promote models."""
    if role_of(by, project.pk) != Role.ADMIN:
        words = "Only an admin of the project makes somebody admin or takes that role away."
        raise Forbidden(words, project_id=project.pk)


def _keep_one_admin(project: Project) -> None:
    if Membership.objects.filter(project=project, role=Role.ADMIN).count() < 2:
        raise Invalid(gettext("A project keeps at least one admin. Make somebody else admin first."), field="role")
