"""When the answers of several people become one label, whatever kind of answer it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from apps.rules.answers import AnswerKind, Value
from apps.rules.words import count


@dataclass(frozen=True, slots=True)
class Settlement:
    """`value` is None unless the answers agree; `agreement` is 0 to 1, of the answers with each other."""

    value: Value | None
    outcome: Literal["agreed", "too few", "disagree"]
    sentence: str
    agreement: float


def settle(votes: Sequence[Value], *, kind: AnswerKind, needed: int, review_at_most: float) -> Settlement:
    """What the votes say together, once `needed` people have answered.

    One label: the share of the winner is the agreement, and equally frequent winners never settle. Other kinds: the
    mean similarity of all pairs is, and the merged answer is what more than half say. At an agreement of
    `review_at_most` or less nobody guesses: a person decides.
    """
    if needed < 1:
        raise ValueError("A consensus needs at least one vote.")
    agreement, tied = agreement_of(votes, kind=kind)
    if len(votes) < needed:
        return Settlement(None, "too few", f"{count(len(votes), 'answer')} of {needed}.", agreement)
    if tied or (len(votes) > 1 and agreement <= review_at_most):
        return Settlement(None, "disagree", f"{count(len(votes), 'answer')} agree to {agreement:.0%}.", agreement)
    return Settlement(
        kind.merge(votes), "agreed", f"{count(len(votes), 'answer')} agree to {agreement:.0%}.", agreement
    )


def agreement_of(votes: Sequence[Value], *, kind: AnswerKind) -> tuple[float, bool]:
    """0 to 1, and whether two answers of one label are equally frequent in front. Up to one vote agrees with itself."""
    if len(votes) < 2:
        return 1.0, False
    if not kind.structured:
        ranked = Counter(str(v["label"]) for v in votes).most_common(2)
        return ranked[0][1] / len(votes), len(ranked) == 2 and ranked[0][1] == ranked[1][1]
    pairs = [kind.similarity(a, b) for a, b in combinations(votes, 2)]
    return sum(pairs) / len(pairs), False
