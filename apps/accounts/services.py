"""Change accounts themselves. Who may, links, tokens and the record of it are apps.people's."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from apps.accounts.models import User
from apps.rules.values.names import looks

SEEN_TO = timedelta(minutes=5)  # a write each page would cost more than the minutes are worth


def person_seen(*, user_id: int, at: datetime) -> None:
    """Somebody opened a page or used a token."""
    recently = Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=at - SEEN_TO)
    User.objects.filter(recently, pk=user_id).update(last_seen_at=at)


@transaction.atomic
def sessions_end(*, user: User) -> None:
    """Every browser in which this person is signed in is signed out, from its next request on."""
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])


@transaction.atomic
def names_told_apart() -> None:
    """Find who shares a name with somebody, by its looks; their user names are shown from now on."""
    shown: dict[str, set[int]] = {}
    for pk, username, display_name in User.objects.values_list("pk", "username", "display_name"):
        for name in {looks(username), looks(display_name or username)}:
            shown.setdefault(name, set()).add(pk)
    shared = {pk for people in shown.values() if len(people) > 1 for pk in people}
    User.objects.filter(pk__in=shared, name_shared=False).update(name_shared=True)
    User.objects.filter(name_shared=True).exclude(pk__in=shared).update(name_shared=False)
