"""Of a run that an alarm started: the labels of the drifted slice that were kept out of training, as one more gate of its verdict.

It stands in no policy: it judges where there is a slice. As many labels right as the champion has passes; surely fewer (McNemar's
exact test, one-sided) fails. Where too few judge, it warns, and the release waits for them.
"""

import numpy as np

from apps.rules.gates.gate import GateOutcome, GateResult
from apps.rules.gates.rows import Bools
from apps.rules.gates.slices import exact_harm
from apps.rules.sentences import sentence, term
from apps.rules.words import percent

NAME = "drifted-slice"
TITLE = term("It is not worse on the drifted slice")
LEAST_JUDGES = 10  # labels; by fewer a figure says nothing
SURE = 0.05


def judge_drifted_slice(candidate: Bools, champion: Bools | None) -> GateResult:
    """(n,) which of the labels each has right. Without a champion nothing is held against it."""
    n = len(candidate)
    if n < LEAST_JUDGES:
        words = sentence("Too few labels to judge the slice: {n} of {least} are in.", n=n, least=LEAST_JUDGES)
        return _result(GateOutcome.INCONCLUSIVE, words, blocking=False)
    after = int(candidate.sum())
    if champion is None:
        words = sentence("Accuracy on the slice {after}, by {n} labels.", after=percent(after / n), n=n)
        return _result(GateOutcome.PASS, words)
    before = int(champion.sum())
    measured = sentence(
        "Accuracy on the slice {before} → {after}, by {n} labels",
        before=percent(before / n),
        after=percent(after / n),
        n=n,
    )
    if after >= before:
        return _result(GateOutcome.PASS, sentence("{measured}.", measured=measured))
    lost, won = int(np.sum(champion & ~candidate)), int(np.sum(candidate & ~champion))
    if exact_harm(lost, won) < SURE:
        return _result(GateOutcome.FAIL, sentence("{measured}; surely worse than the champion.", measured=measured))
    return _result(GateOutcome.INCONCLUSIVE, sentence("{measured}; may be chance.", measured=measured))


def _result(outcome: GateOutcome, words: str, *, blocking: bool = True) -> GateResult:
    return GateResult(NAME, str(TITLE), outcome, words, type=NAME, blocking=blocking)
