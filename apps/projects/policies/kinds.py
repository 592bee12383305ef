"""What tells one policy from another: its table, how it is read, what its edits are called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from apps.accounts.models import User
from apps.audit.verbs import Verb
from apps.projects.policies.models import PolicyVersion
from apps.rules.policies import VersionedPolicy

V = TypeVar("V", bound=PolicyVersion)
P = TypeVar("P", bound=VersionedPolicy)


@dataclass(frozen=True)
class PolicyKind(Generic[V, P]):
    """One versioned policy of projects.

    `checked` reads what somebody sent and raises PolicyRefused; `kept` reads a row, which was taken once and is not refused
    for what changed since; `standing` is in force where nobody set one. `words` is the sentence of the trail.
    """

    table: type[V]
    name: str
    verb: Verb
    checked: Callable[[Any], P]
    kept: Callable[[Any], P]
    standing: Callable[[], P]
    words: Callable[[User, int, P], str]
