"""What every kind of event declares: its names, the right it needs, and how rows of it are taken."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from apps.projects.roles import Permission
from apps.rules.values import ValueRefused, id_of
from apps.sources.models import SourcePartition


class OutcomeState(StrEnum):
    """What became of one event."""

    TAKEN = "taken"
    KNOWN = "known"  # a second delivery
    REFUSED = "refused"
    WAITING = "waiting"  # what it speaks of is not here yet


@dataclass(frozen=True, slots=True)
class EventOutcome:
    state: OutcomeState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event on its way in. `reason` says why it is refused; `values` is None where it could not be read."""

    offset: str
    values: Mapping[str, Any] | None
    reason: str = ""
    raw: str = ""


def external_id_of(values: Mapping[str, Any] | None) -> str:
    """The example that the event speaks of; empty where it does not say, or says what is no id."""
    said = values or {}
    with suppress(ValueRefused):
        return id_of(
            next((said[name] for name in ("id", "external_id", "item") if said.get(name) not in (None, "")), None)
        )
    return ""


@dataclass(frozen=True)
class EventKind:
    """`needs` are the rights of whoever a source acts for: one of them is enough. A shape is learned of `paths`: names that
    every such event has, so that one that leaves out what it may leave out is no other schema.

    `take` runs within the transaction of the batch and gives an outcome for each row, in their order.
    """

    name: str
    title: Any  # translated lazily
    noun: str  # within an English sentence
    needs: frozenset[Permission]
    names: tuple[str, ...]  # of ours, for the mapping
    paths: tuple[str, ...]
    take: Callable[[SourcePartition, Sequence[EventRow], datetime], list[EventOutcome]]
