"""What the windows of a champion are compared with: its holdout, what it learned from, people's labels of its answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

Encode = Callable[[Sequence[Mapping[str, Any]], Sequence[bytes | None]], Any]


@dataclass(frozen=True)
class ReferenceRows:
    """Columns of examples; fetched where a monitor asks for them."""

    columns: Callable[[], Mapping[str, Sequence[Any]]]
    vectors: Callable[[], Any]  # (n, d), or None where there are none


@dataclass(frozen=True)
class EncodedReference:
    """What the champion learned from, as its encoder sees it: stored vectors (n, d), or None where none are stored."""

    encoder: str
    learned: Callable[[], Any]


@dataclass(frozen=True)
class HoldoutAnswers:
    """What the champion said of each example of its holdout, in the same order."""

    truth: Sequence[str]
    predicted: Sequence[str]
    confidence: Sequence[float]
    margin: Sequence[float] = ()

    @property
    def margins(self) -> Any:
        """(n,), or None where its report is of before they were kept."""
        return np.asarray(self.margin, float) if len(self.margin) == len(self.predicted) else None

    @property
    def right(self) -> Any:
        return np.array([answer == true for answer, true in zip(self.predicted, self.truth, strict=True)], np.int64)


@dataclass(frozen=True)
class AuditedAnswer:
    """Whether people, asked about a request that was drawn by chance, said otherwise."""

    inference_id: str
    item: int
    at: datetime
    wrong: bool
    share: float = 1.0  # of such answers that the log keeps


Audited = Callable[[datetime, datetime], Sequence[AuditedAnswer]]


def _nothing(*_: Any) -> tuple[AuditedAnswer, ...]:
    return ()


@dataclass(frozen=True)
class MonitorReference:
    """The champion, and what its windows are compared with; each part is fetched once, where a monitor asks for it.

    `groups` are the sensitive columns of the holdout. `encoded` is what it learned from by the champion's encoder, of texts and
    pictures; `encode` makes simpler vectors of kept requests at once, or None. `audited` are people's labels on answers of a time,
    `slice_audited` those that judge one alarm, by its number.
    """

    model_number: int
    serves_since: datetime
    label_names: Sequence[str]
    holdout: Callable[[], HoldoutAnswers]
    learned: ReferenceRows
    groups: Callable[[], Mapping[str, Sequence[Any]]] = dict
    encode: Encode | None = None
    encoded: EncodedReference | None = None
    audited: Audited = _nothing
    slice_audited: Callable[[int], Sequence[AuditedAnswer]] = _nothing
