"""Whether a candidate may be released. `metrics` measures; this decides, and says what would settle a doubt."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import ceil

from apps.rules.metrics import Difference, Metric
from apps.rules.words import count, percent, points, signed


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a project tolerates. Differences are candidate minus champion; shares, not points."""

    least_holdout: int = 30  # below it a 95 % interval of an accuracy is wider than 30 points
    allowed_loss: float = 0.02  # the loss of accuracy that nobody would notice
    log_loss_rise: float = 0.10  # nats; about the cost of 10 % less probability on the truth


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on the protected holdout. The champion's fields are None when there is no champion."""

    loaded: bool
    finite: bool
    labels: tuple[str, ...]
    n_holdout: int
    accuracy: Metric
    majority_rate: float | None
    load_error: str = ""
    champion_labels: tuple[str, ...] | None = None
    accuracy_difference: Difference | None = None
    log_loss_difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """`more_labels` is how many more holdout labels would about settle an inconclusive gate, where that is known."""

    name: str
    title: str
    outcome: Outcome
    reason: str
    more_labels: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    gates: tuple[GateResult, ...]
    reason: str
    more_labels: int | None


def judge(evidence: Evidence, limits: Limits) -> Verdict:
    """Any fail fails; else any doubt is inconclusive; else pass."""
    gates = (
        _loads(evidence),
        _schema(evidence),
        _holdout(evidence, limits),
        _gain(evidence, limits),
        _log_loss(evidence, limits),
    )
    outcomes = {gate.outcome for gate in gates}
    outcome = next((o for o in (Outcome.FAIL, Outcome.INCONCLUSIVE) if o in outcomes), Outcome.PASS)
    more = max((gate.more_labels for gate in gates if gate.more_labels), default=None)
    return Verdict(outcome, gates, _summary(outcome, gates), more if outcome is Outcome.INCONCLUSIVE else None)


def labels_to_settle(difference: Metric, n: int, allowed_loss: float) -> int | None:
    """How many more examples would about settle a difference of this size, either way.

    An interval shrinks with the square root of n. The gate passes once the lower half is at most value + allowed_loss
    and fails once the upper half is below -value, whichever comes first: n * (half_width / needed)^2 - n.
    """
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    value, low, high = difference.value, difference.low, difference.high
    totals = []
    if value + allowed_loss > 0:
        totals.append(n * ((value - low) / (value + allowed_loss)) ** 2)
    if value < 0:
        totals.append(n * ((high - value) / -value) ** 2)
    return max(ceil(min(totals)) - n, 1) if totals else None


def _loads(evidence: Evidence) -> GateResult:
    gate = partial(GateResult, "loads", "It loads and answers")
    if not evidence.loaded:
        cause = evidence.load_error or "no cause was given"
        return gate(Outcome.FAIL, f"The artifact does not load: {cause}")
    if not evidence.finite:
        return gate(Outcome.FAIL, "Some of its probabilities are not numbers.")
    return gate(Outcome.PASS, "The artifact loads and every probability is a number.")


def _schema(evidence: Evidence) -> GateResult:
    """The label schema may grow; a label that users see today may not vanish."""
    gate = partial(GateResult, "schema", "It knows the labels")
    old, new = evidence.champion_labels, evidence.labels
    if old is None:
        return gate(Outcome.PASS, f"It knows {count(len(new), 'label')}; there is no champion to match.")
    lost = [label for label in old if label not in new]
    if lost:
        return gate(Outcome.FAIL, f"It no longer knows {_list(lost)}, which the champion answers.")
    grown = [label for label in new if label not in old]
    if grown:
        return gate(Outcome.PASS, f"It knows all the champion's labels and adds {_list(grown)}.")
    return gate(Outcome.PASS, f"It knows the champion's {count(len(new), 'label')}.")


def _holdout(evidence: Evidence, limits: Limits) -> GateResult:
    gate = partial(GateResult, "holdout", "The holdout is large enough")
    n, missing = evidence.n_holdout, limits.least_holdout - evidence.n_holdout
    if missing > 0:
        return gate(
            Outcome.INCONCLUSIVE,
            f"Only {count(n, 'labeled holdout example')}; {missing} more would settle it.",
            missing,
        )
    return gate(Outcome.PASS, f"Measured on {count(n, 'labeled holdout example')}.")


def _gain(evidence: Evidence, limits: Limits) -> GateResult:
    """Against a champion: surely worse (the whole interval below 0) fails, surely not worse than allowed passes.

    A wide interval around a bad value stays inconclusive on purpose: labels settle it, an early no would not.
    """
    alone = evidence.champion_labels is None
    gate = partial(GateResult, "gain", "It beats guessing" if alone else "It is not worse than the champion")
    if evidence.n_holdout < limits.least_holdout:
        return gate(Outcome.INCONCLUSIVE, "Too few holdout labels to tell.")
    if alone:
        return _beats_guessing(gate, evidence)
    difference = evidence.accuracy_difference
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return gate(Outcome.INCONCLUSIVE, _unmeasured("Accuracy was not compared.", difference))
    between = f"between {points(difference.low)} and {points(difference.high)}"
    found = f"Accuracy {points(difference.value)} points, {between}"
    if difference.high < 0:
        return gate(Outcome.FAIL, f"{found}; surely worse than the champion.")
    if difference.low >= -limits.allowed_loss:
        told = "surely better" if difference.low > 0 else f"not worse by more than the {_allowed(limits)} allowed"
        return gate(Outcome.PASS, f"{found}; {told}.")
    return _doubt(
        gate, f"{found}; may be chance.", labels_to_settle(difference, evidence.n_holdout, limits.allowed_loss)
    )


def _beats_guessing(gate: "partial[GateResult]", evidence: Evidence) -> GateResult:
    accuracy, guess = evidence.accuracy, evidence.majority_rate
    if accuracy.value is None or accuracy.low is None or accuracy.high is None or guess is None:
        return gate(Outcome.INCONCLUSIVE, _unmeasured("Accuracy was not measured.", accuracy))
    if guess == 1.0:
        return gate(Outcome.INCONCLUSIVE, "All holdout labels are the same, so guessing is always right.")
    between = f"between {percent(accuracy.low, 1)} and {percent(accuracy.high, 1)}"
    found = (
        f"Accuracy {percent(accuracy.value, 1)}, {between}; "
        f"always answering the most frequent label gets {percent(guess, 1)}"
    )
    if accuracy.low > guess:
        return gate(Outcome.PASS, f"{found}.")
    if accuracy.high < guess:
        return gate(Outcome.FAIL, f"{found}, which is surely better.")
    gain = Metric(accuracy.value - guess, accuracy.low - guess, accuracy.high - guess)
    return _doubt(gate, f"{found}; may be chance.", labels_to_settle(gain, evidence.n_holdout, 0.0))


def _log_loss(evidence: Evidence, limits: Limits) -> GateResult:
    """Fails when log-loss surely rose and its rise is beyond the limit: sure and wrong is worse than wrong."""
    gate = partial(GateResult, "log_loss", "Its confidence is honest")
    difference = evidence.log_loss_difference
    if evidence.champion_labels is None:
        return gate(Outcome.PASS, "There is no champion to compare with.")
    if evidence.n_holdout < limits.least_holdout:
        return gate(Outcome.INCONCLUSIVE, "Too few holdout labels to tell.")
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return gate(Outcome.INCONCLUSIVE, _unmeasured("Log-loss was not compared.", difference))
    found = (
        f"Log-loss {signed(difference.value, 2)}, between {signed(difference.low, 2)} and "
        f"{signed(difference.high, 2)}; lower is better"
    )
    if difference.low > 0 and difference.value > limits.log_loss_rise:
        return gate(Outcome.FAIL, f"{found}. It rose by more than the {limits.log_loss_rise:.2f} allowed.")
    return gate(Outcome.PASS, f"{found}.")


def _doubt(gate: "partial[GateResult]", found: str, more: int | None) -> GateResult:
    if more is not None:
        found += f" About {count(more, 'more holdout label')} would settle it."
    return gate(Outcome.INCONCLUSIVE, found, more)


def _unmeasured(told: str, metric: Metric | None) -> str:
    return f"{told} {metric.reason}" if metric and metric.reason else told


def _summary(outcome: Outcome, gates: tuple[GateResult, ...]) -> str:
    deciding = next((gate for gate in gates if gate.outcome is outcome), gates[-1])
    return f"All {len(gates)} gates pass." if outcome is Outcome.PASS else deciding.reason


def _allowed(limits: Limits) -> str:
    return f"{100 * limits.allowed_loss:g} points"


def _list(labels: list[str], shown: int = 3) -> str:
    quoted = [f"\u201c{label}\u201d" for label in labels[:shown]]
    if len(labels) > shown:
        return ", ".join(quoted) + f" and {len(labels) - shown} more"
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"
