"""Leases: who owns a row for a while. Every write of an owner checks that it still does.

Redis delivers a job again after the visibility timeout while the first worker may still be at it, and a worker may be
killed without a word. The owner token on the row decides: whoever holds it writes, everybody else is told it is lost.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models, transaction

from apps.errors import DomainError


class LeaseLost(DomainError):
    """Another worker owns the row, or it has ended: stop and write nothing more."""

    code = "lease_lost"


class Leased(models.Model):
    """A row that one worker at a time works on. `owner` is the fencing token, `leased_until` the end of the lease."""

    owner = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def is_held(self, at: datetime) -> bool:
        return self.leased_until is not None and self.leased_until >= at


class Attempted(Leased):
    """A leased row whose work may kill its worker: attempts are counted, and the message that asked is dated."""

    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)  # when a message last asked for it

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Leased)


@dataclass(frozen=True)
class Lease:
    """How rows of one model are held. `renewed_every_s` leaves room for several beats within `length`."""

    length: timedelta
    lost_by: type[LeaseLost]
    renewed_every_s: float = 0.0  # 0 where the worker renews between steps and has no heartbeat
    most_attempts: int = 0  # 0 where a dead worker costs nothing but time

    def spent(self, row: Attempted) -> bool:
        """Whether the row has killed as many workers as it may."""
        return bool(self.most_attempts) and row.attempts >= self.most_attempts

    def take(self, row: Leased, at: datetime) -> uuid.UUID:
        """A new owner for the row, which the caller has locked and saves."""
        row.owner, row.leased_until = uuid.uuid4(), at + self.length
        if isinstance(row, Attempted):
            row.attempts += 1
        return row.owner

    def renew(self, rows: "models.QuerySet[Any]", owner: uuid.UUID, at: datetime, sentence: str, **also: Any) -> None:
        """Push the end out, and write what else is given. Raises what the lease is lost by."""
        if not rows.filter(owner=owner).update(leased_until=at + self.length, **also):
            raise self.lost_by(sentence)

    def owned(self, rows: "models.QuerySet[Row]", owner: uuid.UUID, sentence: str) -> Row:
        """The one row of the query, locked for this owner. Raises what the lease is lost by."""
        row = rows.select_for_update(of=("self",), no_key=True).filter(owner=owner).first()
        if row is None:
            raise self.lost_by(sentence)
        return row


@transaction.atomic
def silent_taken(rows: "models.QuerySet[Any]", *, sign: str, at: datetime, after: timedelta) -> list[Any]:
    """The keys of rows whose last sign of life is older than `after`, each marked with a new one: asked for once.

    `sign` names the column. Rows that somebody is just writing to are alive and passed over.
    """
    old = rows.filter(models.Q(**{f"{sign}__lt": at - after}) | models.Q(**{sign: None}))
    keys = list(old.select_for_update(of=("self",), skip_locked=True, no_key=True).values_list("pk", flat=True))
    rows.model.objects.filter(pk__in=keys).update(**{sign: at})
    return keys
