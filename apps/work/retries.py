"""Tries at something outside that may be away: claimed for a while, repeated with growing pauses until it is told."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

CLAIMED = timedelta(minutes=2)  # nobody else tries meanwhile
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
MOST_COUNTED = 20  # attempts; the pause has long reached its longest


class Retried(models.Model):
    """A row that says what another system was told, and when to try again where it was away."""

    attempts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True)

    class Meta:
        abstract = True

    def try_claim(self, at: datetime) -> bool:
        """True for one worker; the others find it claimed, or waiting for its next try."""
        return bool(type(self)._default_manager.filter(due(at), pk=self.pk).update(retry_at=at + CLAIMED))

    def try_failed(self, at: datetime, sentence: str) -> timedelta:
        """Write down why; the pause until the next try is returned."""
        attempts = min(self.attempts + 1, MOST_COUNTED)
        pause: timedelta = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
        self._write(attempts=attempts, retry_at=at + pause, error=sentence[:400])
        return pause

    def try_done(self, **told: Any) -> None:
        """Told: what the other system has now is written with it."""
        self._write(attempts=0, retry_at=None, error="", **told)

    def _write(self, **columns: Any) -> None:
        type(self)._default_manager.filter(pk=self.pk).update(**columns)


def due(at: datetime, through: str = "") -> Q:
    """Rows that may be tried now; `through` is the path to them from another model, `mirrored__`."""
    return Q(**{f"{through}retry_at": None}) | Q(**{f"{through}retry_at__lte": at})
