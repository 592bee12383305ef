"""What a gate is: evidence of the protected holdout and what a project's policy sets in, an outcome with its reason out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import Field

from apps.rules.gates.rows import ColumnValues, GateReads, HoldoutRows, ServingTrial
from apps.rules.metrics import Difference, Metric
from apps.rules.policies import PolicyPart
from apps.rules.sentences import sentence


class GateOutcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class GateNeed(StrEnum):
    """What a gate cannot judge without."""

    CHAMPION = "champion"  # passes where there is none to compare with
    HOLDOUT = "holdout"  # cannot tell while the holdout is smaller than `least_holdout`


class GateParameters(PolicyPart):
    """What a project sets of a gate. Each field has a `title` and may have a `description`: pages make forms of them."""


class HoldoutParameters(GateParameters):
    """Of gates that measure on the holdout. Shares, not points; differences are candidate minus champion."""

    least_holdout: int = Field(
        30,  # below it a 95 % interval of an accuracy is wider than 30 points
        ge=1,
        le=1_000_000,
        title="Least holdout",
        description="Labeled examples below which it cannot tell.",
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on the protected holdout. The champion's fields are None when there is no champion.

    `metrics` are all that was measured of the candidate, `differences` all that was compared, by their names in
    `apps.rules.metrics`. What stands below them is there where a gate of the policy `reads` it.
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
    rows: HoldoutRows | None = None
    sensitive: tuple[str, ...] = ()  # columns that the project marks so
    values: ColumnValues | None = None
    serving: ServingTrial | None = None


@dataclass(frozen=True, slots=True)
class Judgment:
    """`more_labels` is how many more holdout labels would about settle a doubt, where that is known. `details` are the figures
    behind the reason, as JSON, for the page of the report."""

    outcome: GateOutcome
    reason: str
    more_labels: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """The judgment of a gate under its name and title, as a report keeps it. What warns alone decides nothing."""

    name: str
    title: str
    outcome: GateOutcome
    reason: str
    more_labels: int | None = None
    type: str = ""
    blocking: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """One type of gate: a thing that a candidate must show.

    `first_title` is its title where there is no champion, if that differs. `parameters` are what a policy may set of it, `reads`
    says what has to be fetched for it. `standing` ones judge where a project has no policy of its own; `required` ones stand
    in every policy and block.
    """

    name: str
    title: str
    judge: Callable[[Evidence, Any], Judgment]
    needs: frozenset[GateNeed] = frozenset()
    first_title: str = ""
    parameters: type[GateParameters] = HoldoutParameters
    standing: bool = True
    required: bool = False
    reads: Callable[[Any], GateReads] = lambda _: GateReads()

    def judged(self, evidence: Evidence, parameters: GateParameters | None = None) -> Judgment:
        """With its defaults where no parameters are given."""
        parameters = self.parameters() if parameters is None else parameters
        return self._without_need(evidence, parameters) or self.judge(evidence, parameters)

    def titled(self, evidence: Evidence) -> str:
        alone = evidence.champion_labels is None
        return self.first_title if alone and self.first_title else self.title

    def _without_need(self, evidence: Evidence, parameters: GateParameters) -> Judgment | None:
        if GateNeed.CHAMPION in self.needs and evidence.champion_labels is None:
            return Judgment(GateOutcome.PASS, sentence("There is no champion to compare with."))
        least = getattr(parameters, "least_holdout", 0)
        if GateNeed.HOLDOUT in self.needs and evidence.n_holdout < least:
            return Judgment(GateOutcome.INCONCLUSIVE, sentence("Too few holdout labels to tell."))
        return None
