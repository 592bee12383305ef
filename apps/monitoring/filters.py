"""Which answers the monitor shows: arm, version and slice, as the address says them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext

from apps.errors import Invalid
from apps.monitoring.log.traffic import USERS
from apps.rules.rollouts.arms import Arm

MOST_SLICE = 200  # letters
MOST_VERSION = 2**31 - 1


@dataclass(frozen=True)
class TrafficFilter:
    """Nothing set: what users met, of every version. `column` and `value` are a slice: kept requests whose column has the value."""

    arm: str = ""
    version: int | None = None
    column: str = ""
    value: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        return (self.arm,) if self.arm else USERS

    @property
    def versions(self) -> tuple[int, ...] | None:
        return None if self.version is None else (self.version,)

    @property
    def slice(self) -> str:
        return f"{self.column}={self.value}" if self.column else ""

    @property
    def fields(self) -> dict[str, str]:
        """What an address or a form says of it."""
        said = {"arm": self.arm, "version": "" if self.version is None else str(self.version), "slice": self.slice}
        return {name: value for name, value in said.items() if value}

    @property
    def more(self) -> str:
        """Behind the period of an address."""
        return f"&{urlencode(self.fields)}" if self.fields else ""

    def __bool__(self) -> bool:
        return bool(self.fields)


ALL = TrafficFilter()


def filter_asked(asked: QueryDict) -> TrafficFilter:
    """Raises Invalid in one sentence."""
    column, value = _slice(asked.get("slice", "").strip())
    return TrafficFilter(_arm(asked.get("arm", "").strip()), _version(asked.get("version", "").strip()), column, value)


def _arm(words: str) -> str:
    if words and words not in set(Arm):
        raise Invalid(
            gettext("“{arm}” is no arm. There are {arms}.").format(arm=words[:20], arms=", ".join(Arm)), field="arm"
        )
    return words


def _version(words: str) -> int | None:
    if not words:
        return None
    digits = words[1:] if words[0] in "vV" else words
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits[:11]) <= MOST_VERSION):
        raise Invalid(
            gettext("“{version}” is no version of a model. Write its number, as 3.").format(version=words[:20]),
            field="version",
        )
    return int(digits)


def _slice(words: str) -> tuple[str, str]:
    if not words:
        return "", ""
    column, equals, value = words.partition("=")
    if not (column.strip() and equals) or len(words) > MOST_SLICE or "\0" in words:
        raise Invalid(
            gettext("“{slice}” is no slice. Write a column and its value, as region=EU.").format(slice=words[:40]),
            field="slice",
        )
    return column.strip(), value.strip()
