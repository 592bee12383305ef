"""Change accounts: a person their own, an admin everybody's. Each change is in the audit trail of the site."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.accounts.services import names_told_apart, sessions_end
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid, NotFound
from apps.live.publish import rights_changed
from apps.people.links import only_admin, password_set_checked
from apps.people.names import display_name_of
from apps.people.tokens import tokens_end
from apps.rules.sentences import sentence, term
from apps.rules.values.zones import zone_of
from apps.rules.words import count


@transaction.atomic
def name_set(*, user: User, display_name: str, at: datetime) -> User:
    """The name others see. Whoever looks like somebody else by it is shown with the user name from then on."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    before, named = user.display_name, display_name_of(display_name)
    if before == named:
        return user
    was = user.signed
    user.display_name = named
    user.save(update_fields=["display_name"])
    names_told_apart()
    user.refresh_from_db(fields=["name_shared"])
    event_record(
        project_id=None,
        verb=Verb.NAME_SET,
        subject=f"user {user.pk}",
        by=user,
        at=at,
        sentence=sentence("{was} is shown as {user} from now on.", was=was, user=user.signed),
        before={"display_name": before},
        after={"display_name": named},
    )
    return user


def time_zone_set(*, user: User, zone: str) -> None:
    """The zone in which pages say moments to this person; empty: that of each browser. Raises Invalid."""
    if zone and zone_of(zone) is None:
        raise Invalid(gettext("No time zone is called “{zone}”.").format(zone=zone), field="time_zone")
    User.objects.filter(pk=user.pk).update(time_zone=zone)


@transaction.atomic
def password_change(*, user: User, old: str, new: str, end_tokens: bool, at: datetime) -> User:
    """Every other session ends with the old password. Raises Invalid with its field."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not user.check_password(old):
        raise Invalid(gettext("This is not your password."), field="old")
    if old == new:
        raise Invalid(gettext("This is your password already. Choose another one."), field="password")
    password_set_checked(user, new)
    user.save(update_fields=["password"])
    ended = tokens_end(owner=user) if end_tokens else 0
    event_record(
        project_id=None,
        verb=Verb.PASSWORD_CHANGED,
        subject=f"user {user.pk}",
        by=user,
        at=at,
        sentence=sentence(
            "{user} changed the password; other sessions ended, and {tokens}.", user=user, tokens=count(ended, "token")
        ),
        after={"tokens_ended": ended},
    )
    rights_changed(user.pk)
    return user


@transaction.atomic
def access_end(*, person: User, end_tokens: bool, by: User, at: datetime) -> int:
    """Sign a person out everywhere, and end their tokens where asked; how many. Raises Forbidden for others than admins."""
    if by.pk != person.pk:
        only_admin(by)
    sessions_end(user=person)
    ended = tokens_end(owner=person) if end_tokens else 0
    event_record(
        project_id=None,
        verb=Verb.SESSIONS_ENDED,
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} ended the sessions of {person}, and {tokens}.",
            by=by,
            person=person.signed,
            tokens=count(ended, "token"),
        ),
        after={"tokens_ended": ended},
    )
    rights_changed(person.pk)
    return ended


@transaction.atomic
def active_set(*, person_id: int, active: bool, by: User, at: datetime) -> User:
    """Switch an account off or on. Off ends sessions, tokens and sockets at once. Raises Forbidden, Invalid, NotFound."""
    only_admin(by)
    person = _person_locked(person_id)
    if person.is_active == active:
        return person
    if not active:
        _not_the_last_admin(person, by)
        sessions_end(user=person)
        tokens_end(owner=person)
    person.is_active = active
    person.save(update_fields=["is_active"])
    event_record(
        project_id=None,
        verb=Verb.PERSON_REACTIVATED if active else Verb.PERSON_DEACTIVATED,
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} switched the account of {person} on again.", by=by, person=person.signed)
        if active
        else sentence("{by} switched the account of {person} off.", by=by, person=person.signed),
    )
    rights_changed(person.pk)
    return person


@transaction.atomic
def rights_set(*, person_id: int, is_superuser: bool, may_create_projects: bool, by: User, at: datetime) -> User:
    """Make somebody an admin of the console, or let them create projects. Raises Forbidden, Invalid, NotFound."""
    only_admin(by)
    person = _person_locked(person_id)
    before = {"is_superuser": person.is_superuser, "may_create_projects": person.may_create_projects}
    after = {"is_superuser": is_superuser, "may_create_projects": may_create_projects}
    if before == after:
        return person
    if person.is_superuser and not is_superuser:
        _not_the_last_admin(person, by)
    person.is_superuser = person.is_staff = is_superuser
    person.may_create_projects = may_create_projects
    person.save(update_fields=["is_superuser", "is_staff", "may_create_projects"])
    what = term("an admin of the console") if is_superuser else term("no admin of the console")
    projects = term("may create projects") if may_create_projects else term("may not create projects")
    event_record(
        project_id=None,
        verb=Verb.PERSON_RIGHTS_SET,
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} set what {person} may: {what}, {projects}.", by=by, person=person.signed, what=what, projects=projects
        ),
        before=before,
        after=after,
    )
    rights_changed(person.pk)
    return person


def _person_locked(person_id: int) -> User:
    """With all admins, so that two cannot take that away from each other at the same moment."""
    locked = User.objects.select_for_update(no_key=True).filter(Q(pk=person_id) | Q(is_superuser=True)).order_by("pk")
    person = next((each for each in locked if each.pk == person_id), None)
    if person is None:
        raise NotFound(gettext("There is no such person."))
    return person


def _not_the_last_admin(person: User, by: User) -> None:
    if person.pk == by.pk:
        raise Invalid(gettext("Nobody switches themselves off, or gives up being admin. Ask another admin."))
    if person.is_superuser and User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk).count() < 1:
        raise Invalid(gettext("The console keeps at least one admin."))
