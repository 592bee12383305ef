"""Write the audit trail and prove that nobody rewrote it."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from apps.accounts.models import User
from apps.audit.models import ChainHead, Event
from apps.audit.verbs import PAYLOADS, Verb
from apps.rules.sentences import Sentence, parts_of, renamed
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
    words = _signed(sentence, by)
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
        sentence=words[:400],
        parts=parts_of(words),
        before=before or {},
        after=after or {},
        previous_hash=last.hash if last else "",
    )
    event.hash_version, event.hash = TOLD, _told(event, settings.SECRET_KEY)
    event.save()
    _head_set(event)
    return event


def _head_set(event: Event) -> None:
    head = ChainHead(
        scope=event.scope, sequence=event.sequence, hash=event.hash, seal=seal_of(event, settings.SECRET_KEY)
    )
    ChainHead.objects.bulk_create(
        [head], update_conflicts=True, unique_fields=["scope"], update_fields=["sequence", "hash", "seal"]
    )


def seal_of(last: Event | ChainHead, key: str) -> str:
    """What says that this is the newest entry of its scope, by a key that the database does not hold."""
    facts = _written(["head", last.scope, last.sequence, last.hash])
    return hmac.new(f"fastloop audit {key}".encode(), facts, "sha256").hexdigest()


def _signed(sentence: str, by: User | None) -> str:
    """Display names are free: where the sentence begins with one, the user name stands beside it."""
    if by is None or not sentence.startswith(str(by)):
        return sentence
    words = by.signed + sentence.removeprefix(str(by))
    if not isinstance(sentence, Sentence):
        return words
    first = re.match(r"\{(\w+)\}", sentence.parts.get("pattern", ""))
    return Sentence(words, renamed(sentence.parts, first[1], by.signed) if first else {})


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
    return _ends_at_its_head(scope, expected - 1, previous)


def _ends_at_its_head(scope: str, sequence: int, last: str) -> bool:
    head = ChainHead.objects.filter(scope=scope).first()
    if head is None:
        return sequence == 0
    sealed = any(hmac.compare_digest(head.seal, seal_of(head, key)) for key in _keys())
    return sealed and (head.sequence, head.hash) == (sequence, last)


def heads() -> dict[str, list[int | str]]:
    """Scope to number and fingerprint of its newest entry: what a backup says of the trail, to be compared elsewhere."""
    found = ChainHead.objects.order_by("scope").values_list("scope", "sequence", "hash")
    return {scope: [sequence, digest] for scope, sequence, digest in found}


def heads_missing(said: Mapping[str, Sequence[Any]]) -> list[str]:
    """Scopes whose trail does not hold the entry that was said to be its newest: its end was cut off, or rewritten."""
    return [
        scope
        for scope, (sequence, digest) in said.items()
        if not Event.objects.filter(scope=scope, sequence=sequence, hash=digest).exists()
    ]


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


def _told(event: Event, key: str) -> str:
    """Version 3: what the sentence is made of is in it too, since readers of other languages read that."""
    facts = [3, event.actor_username, event.parts, *_facts(event)]
    return hmac.new(f"fastloop audit {key}".encode(), _written(facts), "sha256").hexdigest()


def _keys() -> tuple[str, ...]:
    """Today's and earlier ones, which SECRET_KEY_FALLBACKS names."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _by_any_key(digest: Callable[[Event, str], str]) -> Callable[[Event], bool]:
    return lambda event: any(hmac.compare_digest(event.hash, digest(event, key)) for key in _keys())


PLAIN, KEYED, TOLD = 1, 2, 3
# A chain never goes back to an earlier version: an entry could be made without the key then.
FINGERPRINTS: dict[int, Callable[[Event], bool]] = {
    PLAIN: lambda event: event.hash == _plain(event),
    KEYED: _by_any_key(_keyed),
    TOLD: _by_any_key(_told),
}


def english(words: object) -> str:
    """A choice's words for the record: it is kept in one language, whichever the person who acts reads."""
    with override("en"):
        return str(words)
