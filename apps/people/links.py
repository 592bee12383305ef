"""One-time links: an invitation makes an account, the other kind a new password. An admin makes and hands them over."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.accounts.services import names_told_apart
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Forbidden, Invalid, NotFound
from apps.people import guessing
from apps.people.models import LinkKind, OneTimeLink
from apps.people.names import display_name_of, username_of
from apps.people.tokens import tokens_end
from apps.projects.membership import member_set
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.rules.sentences import lowered, sentence
from apps.rules.words import count

INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(days=1)


def only_admin(by: User) -> None:
    """Raises Forbidden for everybody who does not run the console."""
    if not (by.is_active and by.is_superuser):
        raise Forbidden(gettext("Only an admin of the console looks after people and their accounts."))


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def links_open(*, at: datetime) -> QuerySet[OneTimeLink]:
    """Not used and not ended, newest first."""
    return OneTimeLink.objects.filter(used_at=None, ends_at__gt=at).select_related("person", "project", "made_by")


@transaction.atomic
def invitation_make(
    *,
    username: str,
    display_name: str,
    may_create_projects: bool,
    project: Project | None,
    role: str,
    by: User,
    at: datetime,
) -> str:
    """The words of the link, shown once. Raises Forbidden, Invalid."""
    only_admin(by)
    username = username_of(username) if username.strip() else ""
    if (project is None) != (not role) or (role and role not in Role.values):
        raise Invalid(gettext("A role is one in a project: choose both or none."), field="role")
    words = secrets.token_urlsafe(24)
    link = OneTimeLink.objects.create(
        kind=LinkKind.INVITATION,
        digest=_digest(words),
        username=username,
        display_name=display_name_of(display_name),
        may_create_projects=may_create_projects,
        project=project,
        role=role,
        made_by=by,
        made_at=at,
        ends_at=at + INVITATION_LASTS,
    )
    whom = link.display_name or username or "somebody"
    event_record(
        project_id=None,
        verb=Verb.PERSON_INVITED,
        subject=f"invitation {link.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} invited {whom} as {role} of {project}.",
            by=by,
            whom=whom,
            role=lowered(english(Role(role).label)),
            project=project,
        )
        if project
        else sentence("{by} invited {whom}.", by=by, whom=whom),
        after={"username": username, "role": role or None, "project": project.pk if project else None},
    )
    return words


@transaction.atomic
def reset_make(*, person: User, by: User, at: datetime) -> str:
    """The words of a link to a new password; earlier ones of this person end. Raises Forbidden."""
    only_admin(by)
    OneTimeLink.objects.filter(person=person, kind=LinkKind.RESET, used_at=None).delete()
    words = secrets.token_urlsafe(24)
    OneTimeLink.objects.create(
        kind=LinkKind.RESET, digest=_digest(words), person=person, made_by=by, made_at=at, ends_at=at + RESET_LASTS
    )
    event_record(
        project_id=None,
        verb=Verb.RESET_LINK_MADE,
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} made a link to a new password for {person}.", by=by, person=person.signed),
    )
    return words


@transaction.atomic
def link_withdraw(*, link_id: int, by: User, at: datetime) -> None:
    only_admin(by)
    link = OneTimeLink.objects.filter(pk=link_id, used_at=None).first()
    if link is None:
        raise NotFound(gettext("This link was used or withdrawn already."))
    event_record(
        project_id=None,
        verb=Verb.LINK_WITHDRAWN,
        subject=f"link {link.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} withdrew a link ({kind}).", by=by, kind=link.kind),
    )
    link.delete()


def link_for(words: str, *, at: datetime, lock: bool = False) -> OneTimeLink:
    """Raises NotFound in one sentence for one that never was, was used, has ended, or whose person may not come in."""
    links = OneTimeLink.objects.select_related("person", "project", "made_by")
    links = links.select_for_update(of=("self",), no_key=True) if lock else links
    link = links.filter(digest=_digest(words), used_at=None, ends_at__gt=at).first()
    if link is None or (link.kind == LinkKind.RESET and not (link.person and link.person.is_active)):
        raise NotFound(gettext("This link was used already, or it has ended. Ask whoever sent it for a new one."))
    return link


@transaction.atomic
def invitation_accept(*, words: str, username: str, display_name: str, password: str, at: datetime) -> User:
    """Make the account. Raises NotFound, Invalid with its field."""
    link = link_for(words, at=at, lock=True)
    if link.kind != LinkKind.INVITATION:
        raise NotFound(gettext("This link leads to a new password, not to a new account."))
    person = User(
        username=username_of(username),
        display_name=display_name_of(display_name),
        may_create_projects=link.may_create_projects,
    )
    password_set_checked(person, password)
    person.save()
    names_told_apart()
    person.refresh_from_db(fields=["name_shared"])
    link.person, link.used_at = person, at
    link.save(update_fields=["person", "used_at"])
    event_record(
        project_id=None,
        verb=Verb.PERSON_JOINED,
        subject=f"user {person.pk}",
        by=person,
        at=at,
        sentence=sentence("{person} joined by a link of {by}.", person=person, by=link.made_by.signed)
        if link.made_by
        else sentence("{person} joined by a link.", person=person),
        after={"username": person.username},
    )
    if link.project and link.role and link.made_by and link.made_by.is_active and link.made_by.is_superuser:
        member_set(project=link.project, username=person.username, role=link.role, by=link.made_by, at=at)
    return person


@transaction.atomic
def reset_accept(*, words: str, password: str, end_tokens: bool, at: datetime) -> User:
    """Set the new password; every session of the person ends. Raises NotFound, Invalid."""
    link = link_for(words, at=at, lock=True)
    if link.kind != LinkKind.RESET or link.person is None:
        raise NotFound(gettext("This link leads to a new account, not to a new password."))
    person = User.objects.select_for_update(no_key=True).get(pk=link.person.pk)
    password_set_checked(person, password)
    person.save(update_fields=["password"])
    link.used_at = at
    link.save(update_fields=["used_at"])
    guessing.streaks_forget(username=person.username)
    ended = tokens_end(owner=person) if end_tokens else 0
    event_record(
        project_id=None,
        verb=Verb.PASSWORD_CHANGED,
        subject=f"user {person.pk}",
        by=person,
        at=at,
        sentence=sentence(
            "{person} set a new password by a link; other sessions ended, and {tokens}.",
            person=person,
            tokens=count(ended, "token"),
        ),
        after={"tokens_ended": ended},
    )
    return person


def password_set_checked(person: User, password: str) -> None:
    """Raises Invalid with what is wrong, in the reader's language."""
    try:
        validate_password(password, person)
    except ValidationError as wrong:
        raise Invalid(" ".join(wrong.messages), field="password") from None
    person.set_password(password)
