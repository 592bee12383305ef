"""Write the audit trail and prove that nobody rewrote it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.verbs import PAYLOADS, Verb
from apps.work.locks import Lock, lock

SYSTEM = "System"
SITE = "site"


def project_scope(project_id: int) -> str:
    return f"project:{project_id}"


@transaction.atomic
def event_record(
    *,
    project_id: int | None,
    verb: Verb,
    subject: str,
    sentence: str,
    by: User | None,
    at: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Event:
    """Append one entry in the caller's transaction; of the site where it is of no project.

    The lock makes the chain a line, not a tree. Raises TypeError where the entry is not what its verb declares.
    """
    fault = PAYLOADS[verb].fault(subject, {**(before or {}), **(after or {})})
    if fault:
        raise TypeError(f"An entry “{verb}” is not as declared: {fault}.")
    scope = SITE if project_id is None else project_scope(project_id)
    lock(Lock.AUDIT, scope)
    last = Event.objects.filter(scope=scope).order_by("-sequence").first()
    event = Event(
        scope=scope,
        sequence=last.sequence + 1 if last else 1,
        at=at,
        actor=by,
        actor_name=str(by)[:150] if by else SYSTEM,
        actor_username=by.username if by else "",
        verb=verb,
        subject=subject,
        sentence=_signed(sentence, by)[:400],
        before=before or {},
        after=after or {},
        previous_hash=last.hash if last else "",
    )
    event.hash_version, event.hash = KEYED, _keyed(event, settings.SECRET_KEY)
    event.save()
    return event


def _signed(sentence: str, by: User | None) -> str:
    """Display names are free: where the sentence begins with one, the user name stands beside it."""
    if by is None or not sentence.startswith(str(by)):
        return sentence
    return by.signed + sentence.removeprefix(str(by))


def chain_intact(scope: str) -> bool:
    """Whether every entry still hashes to what was written and follows the one before it."""
    previous, expected, least = "", 1, PLAIN
    for event in Event.objects.filter(scope=scope).order_by("sequence").iterator():
        check = FINGERPRINTS.get(event.hash_version)
        if event.sequence != expected or event.previous_hash != previous or event.hash_version < least:
            return False
        if check is None or not check(event):
            return False
        previous, expected, least = event.hash, expected + 1, event.hash_version
    return True


def _facts(event: Event) -> list[Any]:
    return [
        event.scope,
        event.sequence,
        event.at.isoformat(),
        event.actor_name,
        event.verb,
        event.subject,
        event.sentence,
        event.before,
        event.after,
        event.previous_hash,
    ]


def _written(facts: list[Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _plain(event: Event) -> str:
    """Version 1: without the user name and without a key. Whoever may write the table could make it anew."""
    return hashlib.sha256(_written(_facts(event))).hexdigest()


def _keyed(event: Event, key: str) -> str:
    """Version 2: the user name is in it, and a key that the database does not hold."""
    digest = hmac.new(f"fastloop audit {key}".encode(), _written([2, event.actor_username, *_facts(event)]), "sha256")
    return digest.hexdigest()


def _keyed_by_any(event: Event) -> bool:
    """By today's key or an earlier one, which SECRET_KEY_FALLBACKS names."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(event.hash, _keyed(event, key)) for key in keys)


PLAIN, KEYED = 1, 2
# A chain never goes back to an earlier version: an entry could be made without the key then.
FINGERPRINTS: dict[int, Callable[[Event], bool]] = {
    PLAIN: lambda event: event.hash == _plain(event),
    KEYED: _keyed_by_any,
}


def english(words: object) -> str:
    """A choice's words for the record: it is kept in one language, whichever the person who acts reads."""
    with override("en"):
        return str(words)
