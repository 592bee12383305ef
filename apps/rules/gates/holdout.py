"""The holdout is large enough to tell anything by."""

from apps.rules.gates.gate import Evidence, Gate, GateOutcome, HoldoutParameters, Judgment
from apps.rules.sentences import sentence
from apps.rules.words import count


def _judge(evidence: Evidence, parameters: HoldoutParameters) -> Judgment:
    n, missing = evidence.n_holdout, parameters.least_holdout - evidence.n_holdout
    if missing > 0:
        words = sentence(
            "Only {labeled_holdout_examples}; {missing} more would settle it.",
            labeled_holdout_examples=count(n, "labeled holdout example"),
            missing=missing,
        )
        return Judgment(GateOutcome.INCONCLUSIVE, words, missing)
    return Judgment(
        GateOutcome.PASS,
        sentence(
            "Measured on {labeled_holdout_examples}.", labeled_holdout_examples=count(n, "labeled holdout example")
        ),
    )


HOLDOUT = Gate("holdout", "The holdout is large enough", _judge)
