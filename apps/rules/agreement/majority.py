"""When the answers of several people become one label."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apps.rules.words import count


@dataclass(frozen=True, slots=True)
class Consensus:
    """`label` is None unless the reason is "agreed"; `agreeing` of `votes` answers chose the first label."""

    label: int | None
    reason: Literal["agreed", "tie", "too few"]
    sentence: str
    votes: int
    agreeing: int


def majority(votes: Sequence[int], *, needed: int) -> Consensus:
    """The label with the most votes, once `needed` people have answered; two labels with equally many are a tie."""
    if needed < 1:
        raise ValueError("A consensus needs at least one vote.")
    ranked = Counter(votes).most_common(2)
    top = ranked[0][1] if ranked else 0
    if len(votes) < needed:
        return Consensus(None, "too few", f"{count(len(votes), 'answer')} of {needed}.", len(votes), top)
    if len(ranked) == 2 and ranked[1][1] == top:
        return Consensus(
            None, "tie", f"Two labels have {count(top, 'vote')} each; a reviewer decides.", len(votes), top
        )
    return Consensus(ranked[0][0], "agreed", f"{top} of {count(len(votes), 'answer')} agree.", len(votes), top)
