"""Against a champion: surely worse (the whole interval below 0) fails, surely not worse than allowed passes.

A wide interval around a bad value stays inconclusive on purpose: labels settle it, an early no would not. A first model
must surely beat whoever always answers the most frequent label.
"""

from pydantic import Field

from apps.rules.gates.doubt import doubtful, labels_to_settle, unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateOutcome, HoldoutParameters, Judgment
from apps.rules.metrics import Metric
from apps.rules.sentences import sentence
from apps.rules.words import percent, points


class GainParameters(HoldoutParameters):
    allowed_loss: float = Field(
        0.02,  # the loss of accuracy that nobody would notice
        ge=0,
        le=1,
        title="Allowed loss of accuracy",
        description="As a share: 0.02 is two points.",
    )


def _judge(evidence: Evidence, parameters: GainParameters) -> Judgment:
    if evidence.champion_labels is None:
        return _beats_guessing(evidence)
    difference = evidence.accuracy_difference
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return unmeasured(sentence("Accuracy was not compared."), difference)
    between = sentence("between {low} and {high}", low=points(difference.low), high=points(difference.high))
    measured = sentence("Accuracy {value} points, {between}", value=points(difference.value), between=between)
    if difference.high < 0:
        return Judgment(GateOutcome.FAIL, sentence("{measured}; surely worse than the champion.", measured=measured))
    if difference.low >= -parameters.allowed_loss:
        allowed = sentence(
            "{measured}; not worse by more than the {allowed:g} points allowed.",
            measured=measured,
            allowed=100 * parameters.allowed_loss,
        )
        better = sentence("{measured}; surely better.", measured=measured)
        return Judgment(GateOutcome.PASS, better if difference.low > 0 else allowed)
    more = labels_to_settle(difference, evidence.n_holdout, parameters.allowed_loss)
    return doubtful(sentence("{measured}; may be chance.", measured=measured), more)


def _beats_guessing(evidence: Evidence) -> Judgment:
    accuracy, guess = evidence.accuracy, evidence.majority_rate
    if accuracy.value is None or accuracy.low is None or accuracy.high is None or guess is None:
        return unmeasured(sentence("Accuracy was not measured."), accuracy)
    if guess == 1.0:
        return Judgment(
            GateOutcome.INCONCLUSIVE, sentence("All holdout labels are the same, so guessing is always right.")
        )
    between = sentence("between {low} and {high}", low=percent(accuracy.low, 1), high=percent(accuracy.high, 1))
    measured = sentence(
        "Accuracy {value}, {between}; always answering the most frequent label gets {guess}",
        value=percent(accuracy.value, 1),
        between=between,
        guess=percent(guess, 1),
    )
    if accuracy.low > guess:
        return Judgment(GateOutcome.PASS, sentence("{measured}.", measured=measured))
    if accuracy.high < guess:
        return Judgment(GateOutcome.FAIL, sentence("{measured}, which is surely better.", measured=measured))
    gain = Metric(accuracy.value - guess, accuracy.low - guess, accuracy.high - guess)
    return doubtful(
        sentence("{measured}; may be chance.", measured=measured), labels_to_settle(gain, evidence.n_holdout, 0.0)
    )


GAIN = Gate(
    "gain",
    "It is not worse than the champion",
    _judge,
    needs=frozenset({GateNeed.HOLDOUT}),
    first_title="It beats guessing",
    parameters=GainParameters,
)
