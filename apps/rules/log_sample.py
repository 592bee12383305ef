"""Which answers the log keeps where it keeps a share of them: drawn by the id of the request, so that whoever asks again knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeVar

from apps.rules.rollouts.arms import PLACES, place_of

Row = TypeVar("Row")
SALT = "log"
LEAST_SHARE = 1 / PLACES  # a rarer one no place is left for


@dataclass(frozen=True)
class LogShares:
    """Of how many answers the log keeps a row, 0 to 1; of those with certain labels another share."""

    share: float = 1.0
    of_labels: Mapping[str, float] = field(default_factory=dict)

    def of(self, labels: Iterable[str]) -> float:
        """Of a request with these answers: its rows stay or go together, as the rarest of them wants.

        >>> LogShares(0.1, {"fraud": 1.0}).of(["fine", "fraud"]), LogShares(0.1).of(["fine"])
        (1.0, 0.1)
        """
        return max((self.of_labels.get(label, self.share) for label in labels), default=1.0)

    @property
    def least(self) -> float:
        """An id that this keeps was kept whatever was answered."""
        return min([self.share, *self.of_labels.values()])


def stays(inference_id: str, share: float) -> bool:
    """The same for the same id everywhere, and whoever stays at one share stays at each larger one.

    >>> stays("q", 1.0), stays("q", 0.0)
    (True, False)
    """
    return share >= 1 or place_of(inference_id, salt=SALT) < round(share * PLACES)


def even(ids: Sequence[str], shares: Sequence[float]) -> list[bool]:
    """Which of these kept rows a log that kept all of them by the smallest share would have: as if drawn evenly.

    What compares distributions reads these; who only needs a mean weighs each row by one over its share.

    >>> even(["a", "b"], [1.0, 1.0])
    [True, True]
    """
    least = min(shares, default=1.0)
    return [share <= least or stays(name, least) for name, share in zip(ids, shares, strict=True)]


def evenly(rows: Sequence[Row], ids: Sequence[str], shares: Sequence[float]) -> list[Row]:
    """Those rows."""
    return list(compress(rows, even(ids, shares)))
