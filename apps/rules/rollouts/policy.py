"""What a release does, step by step, in the words of Argo Rollouts; read from YAML or JSON, refused with one sentence.

steps:
- setWeight: 1
- analysis:
    metrics:
    - {name: error-rate, interval: 5m, count: 12, minSample: 500}
- setWeight: 100
"""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from apps.rules.feedback import LABEL
from apps.rules.policies import MOST_TEXT, PolicyPart, PolicyRefused, VersionedPolicy, policy_checked, yaml_read
from apps.rules.rollouts.analysis import MetricTest
from apps.rules.rollouts.conditions import ConditionRefused, is_met
from apps.rules.rollouts.durations import duration_of, in_words
from apps.rules.rollouts.metrics import METRICS
from apps.rules.rollouts.metrics.feedback import NAME as FEEDBACK
from apps.rules.sentences import sentence, words_of

__all__ = [
    "AT_ONCE",
    "MOST_TEXT",
    "PolicyRefused",
    "RolloutPolicy",
    "canary",
    "policy_of",
    "policy_of_yaml",
    "shadow_first",
]
MOST_STEPS, MOST_METRICS, MOST_LOOKS = 30, 12, 200
FULL = 100.0
Duration = Annotated[
    timedelta, BeforeValidator(duration_of), PlainSerializer(in_words, return_type=str, when_used="always")
]


class MetricSettings(PolicyPart):
    """One metric of an analysis. `count` is the number of looks, `interval` the time between two."""

    name: str
    feedback: str = Field("", max_length=60)  # which, of the metric “feedback”: label, or the name of a number
    test: MetricTest = MetricTest.OBRIEN_FLEMING
    interval: Duration = timedelta(minutes=5)
    initial_delay: Duration = timedelta(0)
    count: int = Field(12, ge=0, le=MOST_LOOKS)
    min_sample: int = Field(100, ge=0, le=10_000_000)
    alpha: float | None = Field(None, gt=0, le=0.5)  # None: its share of the policy's falseAborts
    tau: float = Field(0.005, gt=0, le=1)
    limit: float | None = Field(None, gt=0, lt=1)
    higher_is_better: bool = True
    two_sided: bool = False
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: int = Field(0, ge=0, le=MOST_LOOKS)
    inconclusive_limit: int = Field(0, ge=0, le=MOST_LOOKS)
    consecutive_error_limit: int = Field(4, ge=0, le=MOST_LOOKS)
    dry_run: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "MetricSettings":
        if self.name not in METRICS:
            raise ValueError(
                sentence("no metric is called “{name}”; {known} are", name=self.name, known=", ".join(METRICS))
            )
        if self.test is MetricTest.OBRIEN_FLEMING and self.count == 0:
            raise ValueError(sentence("obrien-fleming needs a count of looks; msprt may look for ever"))
        if self.test is MetricTest.THRESHOLD and not (self.success_condition or self.failure_condition):
            raise ValueError(sentence("a threshold needs successCondition or failureCondition"))
        if self.feedback and self.name != FEEDBACK:
            raise ValueError(
                sentence(
                    "“feedback” names a number or “label” for the metric “feedback”, not for {name}", name=self.name
                )
            )
        if self.interval < timedelta(seconds=1):
            raise ValueError(sentence("an interval is at least 1s"))
        for condition in filter(None, (self.success_condition, self.failure_condition)):
            is_met(condition, {"result": 0.5, "canary": 0.5, "stable": 0.5})
        return self

    @property
    def feedback_name(self) -> str:
        """Under which name it came; empty for every other metric."""
        return (self.feedback or LABEL) if self.name == FEEDBACK else ""

    @property
    def is_share(self) -> bool:
        """Whether its figures are shares; numbers that people post may be any."""
        return self.feedback_name in ("", LABEL)


class AnalysisStep(PolicyPart):
    metrics: tuple[MetricSettings, ...] = Field(min_length=1, max_length=MOST_METRICS)


class PauseStep(PolicyPart):
    duration: Duration | None = None  # None waits for a person


class MirrorStep(PolicyPart):
    percentage: float = Field(ge=0, le=FULL)


class RolloutStep(PolicyPart):
    """Exactly one of its keys."""

    set_weight: float | None = Field(None, ge=0, le=FULL)
    pause: PauseStep | None = None
    analysis: AnalysisStep | None = None
    set_mirror_route: MirrorStep | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_pause(cls, given: Any) -> Any:
        return (
            {**given, "pause": {}} if isinstance(given, dict) and "pause" in given and given["pause"] is None else given
        )

    @model_validator(mode="after")
    def _one(self) -> "RolloutStep":
        if len(self.model_fields_set) != 1:
            raise ValueError(sentence("a step is exactly one of setWeight, pause, analysis and setMirrorRoute"))
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))


class RolloutPolicy(VersionedPolicy):
    """`falseAborts` is the share of good models that all tests together may stop by chance. `rollbackWindow` is how many
    versions back a release may go at once, without steps; `whileOne` says what a second release does meanwhile."""

    steps: tuple[RolloutStep, ...] = Field(min_length=1, max_length=MOST_STEPS)
    false_aborts: float = Field(0.05, gt=0, le=0.5)
    rollback_window: int = Field(3, ge=0, le=50)
    while_one: Literal["refuse", "supersede"] = "refuse"

    @model_validator(mode="after")
    def _reaches_everybody(self) -> "RolloutPolicy":
        weights = [step.set_weight for step in self.steps if step.set_weight is not None]
        if not weights or weights[-1] != FULL:
            raise ValueError(sentence("the last setWeight is 100, or the release would never end"))
        if any(later < sooner for sooner, later in pairwise(weights)):
            raise ValueError(sentence("weights only rise; to lower one, abort"))
        if self.steps[-1].set_weight != FULL:
            raise ValueError(sentence("nothing follows setWeight 100"))
        for at, step in enumerate(self.steps):
            if step.analysis and not any(s.set_weight or s.set_mirror_route for s in self.steps[:at]):
                raise ValueError(sentence("an analysis needs traffic: set a weight or a mirror before it"))
        return self

    def alpha_of(self, metric: MetricSettings) -> float:
        """Its own, or an even share of `falseAborts` among all that test and can stop the rollout (Bonferroni)."""
        if metric.alpha is not None:
            return metric.alpha
        metrics = [m for step in self.steps if step.analysis for m in step.analysis.metrics]
        return self.false_aborts / max(sum(m.test is not MetricTest.THRESHOLD and not m.dry_run for m in metrics), 1)


def policy_of(given: Any) -> RolloutPolicy:
    """Raises PolicyRefused."""
    try:
        return policy_checked(RolloutPolicy, given, example="steps: [{setWeight: 100}]")
    except ConditionRefused as fault:
        raise PolicyRefused(words_of(fault)) from None


def policy_of_yaml(text: str) -> RolloutPolicy:
    """Raises PolicyRefused."""
    return policy_of(yaml_read(text))


AT_ONCE = policy_of({"steps": [{"setWeight": 100}]})


def canary(*, interval: str = "5m", looks: int = 6, least: int = 100) -> RolloutPolicy:
    """The usual one: 1, 10, 50, 100 %, with errors, slowness and what is answered looked at on each."""
    metrics = [
        {"name": name, "interval": interval, "count": looks, "minSample": least}
        for name in ("error-rate", "latency-p95", "class-mix")
    ]
    steps = [step for w in (1, 10, 50) for step in ({"setWeight": w}, {"analysis": {"metrics": metrics}})]
    return policy_of({"steps": [*steps, {"setWeight": 100}]})


def shadow_first(*, interval: str = "5m", looks: int = 6, least: int = 100) -> RolloutPolicy:
    """Copies of all requests first, answers compared with the champion's, then the usual canary."""
    watched = {"name": "agreement", "interval": interval, "count": looks, "minSample": least, "limit": 0.8}
    steps = [{"setMirrorRoute": {"percentage": 100}}, {"analysis": {"metrics": [watched]}}]
    return policy_of({"steps": [*steps, *canary(interval=interval, looks=looks, least=least).written()["steps"]]})
