"""What plugs in, by name: the house's own members in their order, then what installed packages add through entry points.

A package adds a member with two lines of its pyproject.toml and a frozen dataclass behind them:

    [project.entry-points."fastloop.gates"]
    macro-f1 = "my_package.gates:MACRO_F1"
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property, lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


class Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> Any:
        """In words, for people; a lazy translation where Django is at hand."""


Member = TypeVar("Member", bound=Named)


class UnknownName(KeyError, ValueError):
    """Nothing is registered under this name; the sentence lists what is. A failed lookup, and a wrong value."""

    def __str__(self) -> str:  # a KeyError would quote its sentence
        return str(self.args[0])


class PluginRefused(Exception):
    """An installed package offers something that cannot be used; the sentence names the package and the fault."""


class Registry(Mapping[str, Member], Generic[Member]):
    """Names to frozen dataclasses of one kind. Entry points are loaded at the first look, once.

    >>> from apps.rules.acquisition import STRATEGIES
    >>> STRATEGIES["margn"]
    Traceback (most recent call last):
    ...
    apps.rules.registry.UnknownName: No strategy is called “margn”. Known: badge, bald, ...
    """

    def __init__(self, *, group: str, noun: str, kind: type[Any], own: Sequence[Member]) -> None:
        """`group` is that of the entry points, `noun` what one member is called in a sentence. Raises PluginRefused."""
        self.group, self.noun, self.kind, self.own = group, noun, kind, tuple(own)
        names = dict[str, Member]()
        for each in self.own:
            self._admit(each, names, "FastLoop")

    def __getitem__(self, name: str) -> Member:
        """Raises UnknownName with the names that there are."""
        if name not in self._members:
            raise UnknownName(f"No {self.noun} is called “{name}”. Known: {', '.join(sorted(self._members))}.")
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @cached_property
    def _members(self) -> dict[str, Member]:
        """Raises PluginRefused at every look until the package is mended or gone: half a registry helps nobody."""
        members = {each.name: each for each in self.own}
        for point in _offered(self.group):
            package = point.dist.name if point.dist else "an unnamed package"
            self._admit(self._loaded(point, package), members, package)
        return members

    def _loaded(self, point: EntryPoint, package: str) -> Any:
        try:
            return point.load()
        except Exception as cause:  # whatever a stranger's module does at its import
            raise self._refused(package, f"{point.value} does not load: {type(cause).__name__}: {cause}") from cause

    def _admit(self, each: Any, members: dict[str, Member], package: str) -> None:
        """Add it, or say what is wrong with it. A name is given once: no package replaces what another one means."""
        if fault := self._fault(each, members):
            raise self._refused(package, fault)
        members[each.name] = each

    def _fault(self, each: Any, members: Mapping[str, Member]) -> str:
        if not isinstance(each, self.kind):
            return f"{each!r} is no {self.kind.__name__}"
        if not _frozen(each):
            return f"{each!r} is no frozen dataclass, so it could change under whoever uses it"
        if not isinstance(each.name, str) or not SLUG.fullmatch(each.name):
            return f"the name {each.name!r} has more than small letters, digits and single dashes in it"
        if not str(each.title).strip():
            return f"“{each.name}” has no title"
        if each.name in members:
            return f"there is a {self.noun} “{each.name}” already, and a name is given once"
        return ""

    def _refused(self, package: str, fault: str) -> PluginRefused:
        return PluginRefused(f"The {self.noun} that the package “{package}” adds to {self.group} is refused: {fault}.")


def _frozen(each: object) -> bool:
    return is_dataclass(each) and not isinstance(each, type) and bool(each.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def _offered(group: str) -> list[EntryPoint]:
    """In the same order on every machine: by package, then by name."""
    points = _installed(tuple(sys.path)).select(group=group)
    return sorted(points, key=lambda p: (p.dist.name if p.dist else "", p.name))


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> Any:  # Python 3.11 and 3.12 have two classes for it
    """Of all groups at once: reading what every package offers takes 20 ms, and each registry wants it."""
    return entry_points()
