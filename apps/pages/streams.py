"""Answers that are made while they are sent. A person gets a few at once, a process not more than its database bears."""

import threading
import weakref
from collections import Counter
from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import TooMany

A_PERSON = 3  # at once, until the reader has everything
RETRY_S = 60  # a file of a hundred thousand rows takes less
A_PROCESS = 12  # of the 24 connections that a process has


class StreamPlaces:
    """How many streams are open, and whose."""

    def __init__(self) -> None:
        self._lock, self._open = threading.Lock(), Counter[int]()

    def take(self, person_id: int) -> None:
        """Raises TooMany."""
        with self._lock:
            if self._open[person_id] >= A_PERSON:
                sentence = gettext(
                    "{n} files are on their way to you already. Take another one when one of them is there."
                )
                raise TooMany(sentence.format(n=A_PERSON), retry_after_s=RETRY_S)
            if self._open.total() >= A_PROCESS:
                raise TooMany(
                    gettext("Many files are being taken right now. Try again in a minute."), retry_after_s=RETRY_S
                )
            self._open[person_id] += 1

    def give_back(self, person_id: int) -> None:
        with self._lock:
            self._open[person_id] -= 1


places = StreamPlaces()


def streamed(parts: Iterable[str | bytes], *, by: User, content_type: str, filename: str) -> StreamingHttpResponse:
    """A file to keep, sent while it is made. Raises TooMany."""
    places.take(by.pk)
    response = StreamingHttpResponse(parts, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    # Once: by the server when the reader has everything, else with the last who holds the response.
    response.after_delivery = weakref.finalize(response, places.give_back, by.pk)  # type: ignore[attr-defined]
    return response
