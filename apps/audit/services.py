"""Write the audit trail and prove that nobody rewrote it."""

import hashlib
import json
from datetime import datetime
from typing import Any

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
        actor_name=str(by) if by else SYSTEM,
        verb=verb,
        subject=subject,
        sentence=sentence[:400],
        before=before or {},
        after=after or {},
        previous_hash=last.hash if last else "",
    )
    event.hash = _hash(event)
    event.save()
    return event


def chain_intact(scope: str) -> bool:
    """Whether every entry still hashes to what was written and follows the one before it."""
    previous, expected = "", 1
    for event in Event.objects.filter(scope=scope).order_by("sequence").iterator():
        if event.sequence != expected or event.previous_hash != previous or event.hash != _hash(event):
            return False
        previous, expected = event.hash, expected + 1
    return True


def _hash(event: Event) -> str:
    content = [
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
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def english(words: object) -> str:
    """A choice's words for the record: it is kept in one language, whichever the person who acts reads."""
    with override("en"):
        return str(words)
