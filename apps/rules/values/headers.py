"""The one rule of column names: of CSV and Parquet headers, and of the keys of a JSON row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.rules.sentences import sentence
from apps.rules.values.characters import in_one_line
from apps.rules.values.names import looks, spelled, tidy
from apps.rules.values.refusals import ValueRefused, shown

MOST_COLUMN = 200  # characters of a column's name


@dataclass(frozen=True, slots=True)
class Header:
    """`written` are the names as they came; `names` the kept ones in their places, None for a column that is left out."""

    written: tuple[str, ...]
    names: tuple[str | None, ...]

    @property
    def nameless(self) -> int:
        return self.names.count(None)

    @property
    def plain(self) -> bool:
        return self.written == self.names

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a row that has exactly the given names, under the kept ones."""
        return {name: values[given] for given, name in zip(self.written, self.names, strict=True) if name is not None}


def header_of(given: Sequence[Any], reserved: Iterable[str]) -> Header:
    """Names without blanks around them; one that is reserved is known in any capitals, with blanks or hyphens inside.

    Columns without a name are left out. Raises ValueRefused for two of one name.

    >>> header_of(["ID", " label", "Age", ""], ["id", "label"]).names
    ('id', 'label', 'Age', None)
    """
    known = {_key(name): name for name in reserved}
    names = tuple(_kept(str("" if name is None else name), known) for name in given)
    first: dict[str, str] = {}
    for before, name in zip(given, names, strict=True):
        if name is None:
            continue
        key = spelled(name)
        if key in first:
            raise ValueRefused(_twice(name, first[key], str(before)))
        first[key] = str(before)
    return Header(tuple(str("" if name is None else name) for name in given), names)


def _kept(given: str, known: Mapping[str, str]) -> str | None:
    name = tidy(
        in_one_line(given.strip().strip("\ufeff"), sentence("The name of the column “{column}”", column=shown(given)))
    )
    if len(name) > MOST_COLUMN:
        raise ValueRefused(
            sentence(
                "A column’s name has {length:,} characters; at most {most} fit.", length=len(name), most=MOST_COLUMN
            )
        )
    return known.get(_key(name), name) or None


def _key(name: str) -> str:
    """`External ID`, `external-id` and `external_id` are one reserved name."""
    return looks(name).replace(" ", "_").replace("-", "_")


def _twice(name: str, one: str, other: str) -> str:
    if one == other:
        return sentence("A column name stands twice in the header line: “{name}”.", name=name)
    return sentence(
        "A column name stands twice in the header line: “{one}” and “{other}” are both “{name}”.",
        one=shown(one),
        other=shown(other),
        name=name,
    )
