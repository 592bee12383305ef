"""Read the trail from a cursor: what an exporter has not had yet, in order, nothing left out and nothing twice.

Within a scope entries are written one after the other (the lock of the chain is held until the writer commits), so the
sequence of a scope has no holes that fill later; ids over all scopes do, and are no cursor.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from apps.audit.models import ChainHead, Cursor, Event

AT_ONCE = 500  # entries a scope and call


@dataclass(frozen=True)
class Unread:
    """New entries of one scope, oldest first."""

    scope: str
    events: tuple[Event, ...]


def scopes_behind(reader: str) -> list[str]:
    """Scopes that have entries which this reader has not had."""
    read = Cursor.objects.filter(reader=reader, scope=OuterRef("scope")).values("sequence")[:1]
    heads = ChainHead.objects.annotate(read=Coalesce(Subquery(read), 0))  # one row a scope, however long its trail
    return list(heads.filter(sequence__gt=F("read")).order_by("scope").values_list("scope", flat=True))


@transaction.atomic
def events_taken(reader: str, scope: str, *, limit: int = AT_ONCE) -> Unread:
    """The next entries of a scope, counted as read when the caller's transaction commits; two workers take turns."""
    Cursor.objects.get_or_create(reader=reader, scope=scope)
    cursor = Cursor.objects.select_for_update(no_key=True).get(reader=reader, scope=scope)
    events = tuple(Event.objects.filter(scope=scope, sequence__gt=cursor.sequence).order_by("sequence")[:limit])
    if events:
        cursor.sequence = events[-1].sequence
        cursor.save(update_fields=["sequence"])
    return Unread(scope, events)


def each_unread(reader: str, do: Callable[[Unread], None], *, limit: int = AT_ONCE) -> int:
    """Hand every scope that is behind to `do`; what it has taken counts as read only if it does not raise.

    Returns how many entries were handed over.
    """
    taken = 0
    for scope in scopes_behind(reader):
        with transaction.atomic():
            found = events_taken(reader, scope, limit=limit)
            if found.events:
                do(found)
        taken += len(found.events)
    return taken


def behind(reader: str, scope: str) -> bool:
    """Whether the scope has entries that this reader has not had."""
    read = Cursor.objects.filter(reader=reader, scope=scope).values("sequence")[:1]
    newest = ChainHead.objects.filter(scope=scope).annotate(read=Coalesce(Subquery(read), 0))
    return newest.filter(sequence__gt=F("read")).exists()


def begin_here(reader: str, scope: str) -> None:
    """This reader wants nothing of the scope from before now."""
    newest = ChainHead.objects.filter(scope=scope).values_list("sequence", flat=True).first()
    Cursor.objects.update_or_create(reader=reader, scope=scope, defaults={"sequence": newest or 0})


def begin_at_the_end(reader: str) -> None:
    """A new reader that wants no history."""
    for scope, newest in Event.objects.order_by().values_list("scope").annotate(newest=Max("sequence")):
        Cursor.objects.update_or_create(reader=reader, scope=scope, defaults={"sequence": newest})
