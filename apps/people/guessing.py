"""Slow down whoever guesses passwords: waits that double, for a name from an address, a name, and an address.

An attempt counts as wrong until it turns out right, so that a hundred at the same moment are a hundred. The one key that
an owner shares with guessers elsewhere is the name alone: it bears more, so that a stranger cannot easily lock them out.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import TooMany
from apps.people.models import SignInStreak
from apps.rules.sentences import sentence, term

FORGOTTEN_AFTER = timedelta(days=1)
LONGEST = timedelta(hours=1)


@dataclass(frozen=True)
class GuessLimit:
    """`free` wrong attempts cost nothing; from then on each makes the next wait twice as long, `first` to begin with."""

    free: int
    first: timedelta

    def wait(self, failures: int) -> timedelta:
        """After so many in a row.

        >>> limit = GuessLimit(5, timedelta(seconds=30))
        >>> [limit.wait(n).seconds for n in (4, 5, 6, 7, 60)]
        [0, 30, 60, 120, 3600]
        """
        over = failures - self.free
        return timedelta() if over < 0 else min(self.first * 2 ** min(over, 20), LONGEST)


HERE = GuessLimit(5, timedelta(seconds=30))
ANYWHERE = GuessLimit(20, timedelta(seconds=30))
FROM_ADDRESS = GuessLimit(40, timedelta(seconds=30))  # an office behind one address mistypes too


def place_of(address: str) -> str:
    """An address as it is counted: of IPv6 the network of one line, whose owner has all of it.

    >>> place_of("10.1.2.3"), place_of("2001:db8:1:2:3::4"), place_of("::ffff:10.1.2.3"), place_of("odd")
    ('10.1.2.3', '2001:db8:1:2::/64', '10.1.2.3', 'odd')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def _limits(username: str, address: str) -> dict[str, GuessLimit]:
    name, place = username.strip().casefold()[:150], place_of(address)
    return {f"at:{place}": FROM_ADDRESS, f"name:{name}": ANYWHERE, f"name:{name} at:{place}": HERE}


def attempt_begin(*, username: str, address: str, at: datetime) -> int:
    """Count an attempt as wrong. Returns the wrong ones before it, of this name from here. Raises TooMany in words."""
    limits = _limits(username, address)
    with transaction.atomic():
        streaks = [_streak(key, at) for key in sorted(limits)]
        locked = max((s.locked_until for s in streaks if s.locked_until and s.locked_until > at), default=None)
        if locked is None:
            return _counted(streaks, limits, username=username, address=address, at=at)
    raise _too_many(locked - at)


def _streak(key: str, at: datetime) -> SignInStreak:
    SignInStreak.objects.get_or_create(key=key, defaults={"last_at": at})
    streak: SignInStreak = SignInStreak.objects.select_for_update(no_key=True).get(key=key)
    if streak.last_at < at - FORGOTTEN_AFTER:
        streak.failures, streak.locked_until = 0, None
    return streak


def _counted(
    streaks: list[SignInStreak], limits: dict[str, GuessLimit], *, username: str, address: str, at: datetime
) -> int:
    before = 0
    for streak in streaks:
        before = max(before, streak.failures if limits[streak.key] is HERE else 0)
        streak.failures, streak.last_at = streak.failures + 1, at
        wait = limits[streak.key].wait(streak.failures)
        streak.locked_until = at + wait if wait else None
        streak.save(update_fields=["failures", "last_at", "locked_until"])
    return before


def attempt_failed(*, username: str, address: str, person: User | None, failures_before: int, at: datetime) -> None:
    """Write down the first of a row at a name that is there, and each wait: a flood of guesses leaves few lines."""
    if person is not None and not failures_before:
        event_record(
            project_id=None,
            verb=Verb.SIGN_IN_FAILED,
            subject=f"user {person.pk}",
            by=None,
            at=at,
            sentence=sentence(
                "A wrong password was given for {person} from {place}.",
                person=person.signed,
                place=place_of(address) or term("this machine"),
            ),
            after={"address": place_of(address)},
        )
    for streak in SignInStreak.objects.filter(key__in=_limits(username, address), locked_until__gt=at):
        wait_s = ceil((streak.locked_until - at).total_seconds()) if streak.locked_until else 0
        event_record(
            project_id=None,
            verb=Verb.SIGN_IN_LOCKED,
            subject=f"sign-in {streak.key}"[:120],
            by=None,
            at=at,
            sentence=sentence(
                "{failures} wrong passwords ({key}): a wait of {wait_s} s.",
                failures=streak.failures,
                key=_in_words(streak.key),
                wait_s=wait_s,
            ),
            after={"address": place_of(address), "failures": streak.failures, "wait_s": wait_s},
        )


def attempt_right(*, username: str, address: str) -> None:
    """The name starts anew; the address gets this one back only, or an account of one's own would clear it."""
    limits = _limits(username, address)
    with transaction.atomic():
        for streak in SignInStreak.objects.select_for_update(no_key=True).filter(key__in=limits).order_by("key"):
            streak.failures = max(0, streak.failures - 1) if limits[streak.key] is FROM_ADDRESS else 0
            streak.locked_until = None
            streak.save(update_fields=["failures", "locked_until"])


def streaks_forget(*, username: str) -> None:
    """An admin made a way in for this person: what others guessed meanwhile is no reason to wait."""
    name = username.strip().casefold()[:150]
    SignInStreak.objects.filter(key__startswith=f"name:{name} at:").delete()
    SignInStreak.objects.filter(key=f"name:{name}").delete()


def _in_words(key: str) -> str:
    return key.replace("name:", "for the name ").replace("at:", "from ").strip()[:200]


def _too_many(wait: timedelta) -> TooMany:
    seconds = max(1, ceil(wait.total_seconds()))
    sentence = gettext(
        "Too many wrong passwords. The next attempt counts in {wait}. Whoever runs this console can make you a link "
        "to a new password."
    )
    return TooMany(sentence.format(wait=_spelled(seconds)), retry_after_s=seconds)


def _spelled(seconds: int) -> str:
    return gettext("{n} s").format(n=seconds) if seconds < 120 else gettext("{n} min").format(n=ceil(seconds / 60))
