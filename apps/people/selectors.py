"""Read people, for those who look after them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.selectors import events_of
from apps.audit.services import SITE
from apps.errors import NotFound
from apps.people.links import only_admin
from apps.projects.models import Membership


@dataclass(frozen=True)
class ListedPerson:
    """One line of the page of people."""

    person: User
    memberships: tuple[Membership, ...]
    tokens: int

    @property
    def seen_at(self) -> datetime | None:
        times = [t for t in (self.person.last_seen_at, self.person.last_login) if t]
        return max(times, default=None)


def people_listed(*, by: User, text: str = "") -> QuerySet[User]:
    """Those that are switched on first, by user name. Raises Forbidden."""
    only_admin(by)
    people = User.objects.annotate(tokens=Count("auth_token_set", distinct=True))
    if text:
        people = people.filter(Q(username__icontains=text) | Q(display_name__icontains=text))
    return people.order_by("-is_active", "username")


def listed(people: list[User]) -> list[ListedPerson]:
    """With their roles; one query more, however many there are."""
    found: dict[int, list[Membership]] = {}
    for each in Membership.objects.filter(user__in=people).select_related("project").order_by("project__name"):
        found.setdefault(each.user_id, []).append(each)
    return [ListedPerson(p, tuple(found.get(p.pk, ())), getattr(p, "tokens", 0)) for p in people]


def person_for(*, by: User, person_id: int) -> User:
    """Raises Forbidden, NotFound."""
    only_admin(by)
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound(gettext("There is no such person."))
    return person


def memberships_of(person: User) -> list[Membership]:
    return list(Membership.objects.filter(user=person).select_related("project").order_by("project__name"))


def site_events(*, by: User, verb: str = "", text: str = "") -> QuerySet[Event]:
    """The trail of what belongs to no project. Raises Forbidden."""
    only_admin(by)
    return events_of(SITE, verb=verb, text=text)
