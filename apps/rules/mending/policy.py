"""What an alarm of a project does: three links, each off, proposed or by itself; from YAML or JSON, or refused.

severity: alarms             # which alerts act by themselves; the others only propose
rollback: {mode: propose, window: 1d}
lane: {mode: auto, examples: 120}
retrain: {mode: auto, labels: 80, where: wrong}
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from apps.rules.mending.shifts import ShiftKind
from apps.rules.monitors import Severity
from apps.rules.policies import PolicyPart, VersionedPolicy, policy_checked
from apps.rules.rollouts.durations import duration_of, in_words
from apps.rules.sentences import sentence

LEAST_EXAMPLES, MOST_EXAMPLES = 30, 2_000  # of a lane: a third of 30 is the least that can judge
Length = Annotated[
    timedelta, BeforeValidator(duration_of), PlainSerializer(in_words, return_type=str, when_used="always")
]


class LinkMode(StrEnum):
    """`propose` is one click in the alert, `auto` is without one."""

    OFF = "off"
    PROPOSE = "propose"
    AUTO = "auto"


def _unquoted(given: object) -> object:
    """A bare `off` is no in YAML."""
    return "off" if given is False else given


Mode = Annotated[LinkMode, BeforeValidator(_unquoted)]


class RollbackLink(PolicyPart):
    """`window`: how young the last release is at most, when the alarm is raised, to be suspected."""

    mode: Mode = LinkMode.PROPOSE
    window: Length = timedelta(days=1)


class LaneLink(PolicyPart):
    """`examples`: at most so many logged requests are asked about."""

    mode: Mode = LinkMode.PROPOSE
    examples: int = Field(default=120, ge=LEAST_EXAMPLES, le=MOST_EXAMPLES)


class RetrainLink(PolicyPart):
    """`labels`: so many of the lane are in before the run starts. `where`: `wrong`, only where they surely contradict the model
    more often than its holdout did, `labeled`, in any case. `kind` of run and `shift`: None lets the alarm decide."""

    mode: Mode = LinkMode.PROPOSE
    labels: int = Field(default=80, ge=LEAST_EXAMPLES, le=MOST_EXAMPLES)
    where: Literal["wrong", "labeled"] = "wrong"
    kind: Literal["incremental", "full", "fine-tune"] | None = None
    shift: ShiftKind | None = None


class AlarmPolicy(VersionedPolicy):
    """`severity` says which alerts act by themselves: `alarms` those alone, `warns` warnings too. What does not, proposes."""

    severity: Severity = Severity.ALARMS
    rollback: RollbackLink = RollbackLink()
    lane: LaneLink = LaneLink()
    retrain: RetrainLink = RetrainLink()

    @model_validator(mode="after")
    def _reachable(self) -> "AlarmPolicy":
        if self.retrain.labels > self.lane.examples:
            raise ValueError(
                sentence(
                    "the run waits for {labels} labels and the lane asks for {examples} at most",
                    labels=self.retrain.labels,
                    examples=self.lane.examples,
                )
            )
        return self

    def mode(self, link: LinkMode, severity: str) -> LinkMode:
        """What a link does for an alert of this severity."""
        if link is LinkMode.AUTO and severity != Severity.ALARMS and self.severity is Severity.ALARMS:
            return LinkMode.PROPOSE
        return link


def alarm_policy_of(given: Any) -> AlarmPolicy:
    """Raises PolicyRefused."""
    return policy_checked(AlarmPolicy, given, example="lane: {mode: auto}")


def kept_alarm_policy(written: Any) -> AlarmPolicy:
    return AlarmPolicy.model_validate(written)


def standing_alarm_policy() -> AlarmPolicy:
    """Everything is proposed, nothing happens by itself."""
    return AlarmPolicy()
