"""What a gate is: evidence of the protected holdout and a project's limits in, an outcome with its reason out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apps.rules.metrics import Difference, Metric
from apps.rules.sentences import sentence


class GateOutcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class GateNeed(StrEnum):
    """What a gate cannot judge without."""

    CHAMPION = "champion"  # passes where there is none to compare with
    HOLDOUT = "holdout"  # cannot tell while the holdout is smaller than `least_holdout`


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a project tolerates. Differences are candidate minus champion; shares, not points."""

    least_holdout: int = 30  # below it a 95 % interval of an accuracy is wider than 30 points
    allowed_loss: float = 0.02  # the loss of accuracy that nobody would notice
    log_loss_rise: float = 0.10  # nats; about the cost of 10 % less probability on the truth


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on the protected holdout. The champion's fields are None when there is no champion.

    `metrics` are all that was measured of the candidate, `differences` all that was compared, by their names in
    `apps.rules.metrics`.
    """

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
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgment:
    """`more_labels` is how many more holdout labels would about settle a doubt, where that is known."""

    outcome: GateOutcome
    reason: str
    more_labels: int | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """The judgment of a gate under its name and title, as a report keeps it."""

    name: str
    title: str
    outcome: GateOutcome
    reason: str
    more_labels: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that a candidate must show. `first_title` is its title where there is no champion, if that differs."""

    name: str
    title: str
    judge: Callable[[Evidence, GateLimits], Judgment]
    needs: frozenset[GateNeed] = frozenset()
    first_title: str = ""

    def result(self, evidence: Evidence, limits: GateLimits) -> GateResult:
        alone = evidence.champion_labels is None
        judgment = self._without_need(evidence, limits) or self.judge(evidence, limits)
        title = self.first_title if alone and self.first_title else self.title
        return GateResult(self.name, title, judgment.outcome, judgment.reason, judgment.more_labels)

    def _without_need(self, evidence: Evidence, limits: GateLimits) -> Judgment | None:
        if GateNeed.CHAMPION in self.needs and evidence.champion_labels is None:
            return Judgment(GateOutcome.PASS, sentence("There is no champion to compare with."))
        if GateNeed.HOLDOUT in self.needs and evidence.n_holdout < limits.least_holdout:
            return Judgment(GateOutcome.INCONCLUSIVE, sentence("Too few holdout labels to tell."))
        return None
