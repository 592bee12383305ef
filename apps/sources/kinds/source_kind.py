"""What every kind of source declares, and the port to one stream.

A position is a text that only its kind reads. It stands after an event: whoever reads from it gets what came later. The
empty one is the beginning.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """`offset` names it in its partition and is the position after it. `at` is when the broker took it."""

    offset: str
    at: datetime
    value: bytes  # an object in JSON
    fault: str = ""  # why it cannot be brought into that form


@dataclass(frozen=True, slots=True)
class StreamLag:
    """How much waits behind a position. `events` is exact up to the kind's own limit, `seconds` the age of the oldest."""

    events: int
    seconds: float
    oldest: str = ""  # the offset of the oldest that waits
    lost: str = ""  # the first that was removed before it was read, where the kind can tell


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """The oldest offset that is there, and the newest that ever was; empty where nothing is or was."""

    oldest: str
    newest: str


class EventStream(Protocol):
    """One stream. All of it raises ports.Unavailable in words: permanent where only a person can mend it."""

    def partitions(self) -> Sequence[str]: ...

    def read(self, partition: str, position: str, *, most: int, wait_s: float = 0.0) -> list[StreamEvent]:
        """Up to `most` events after the position, in order; waits so long for the first where there is none."""

    def ends(self, partition: str) -> StreamEnds: ...

    def lag(self, partition: str, position: str, *, at: datetime) -> StreamLag: ...

    def newest(self, partition: str, most: int) -> list[StreamEvent]:
        """The newest events, oldest first, for a look at them."""

    def position_at(self, partition: str, moment: datetime) -> str:
        """Before the first event that the broker took at this moment or later."""

    def position_given(self, given: str) -> str:
        """A position as a person writes it. Raises ValueRefused."""

    def is_before(self, one: str, other: str) -> bool: ...

    def forget(self, partition: str, upto: str, *, before: datetime) -> None:
        """Remove old events up to this position where the stream is the console's own; a broker keeps its own time."""

    def close(self) -> None:
        """Nothing more is read with it."""

    def write(self, values: Sequence[bytes]) -> list[str]:
        """Add events; their offsets."""


@dataclass(frozen=True)
class SourceKind:
    """`place` gives the checked form of what a person says of where it is; raises ValueRefused. `open` gets it.

    `by_hand` are commands that send an event, for people who look at one; `lacks` says what is missing to use it here.
    """

    name: str
    title: Any  # translated lazily
    place: Callable[[Mapping[str, Any]], dict[str, Any]]
    open: Callable[[int, Mapping[str, Any]], EventStream]  # of a project
    by_hand: Callable[[int, Mapping[str, Any]], list[str]]
    lacks: Callable[[], str] = lambda: ""
