"""Which gates judge the models of a project, read from YAML or JSON, refused with one sentence.

gates:
- type: loads
- type: gain
  parameters: {allowedLoss: 0.01}
- type: log_loss
  name: calm
  blocking: false
"""

from contextlib import suppress
from typing import Any

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic import ValidationError as Unfit

from apps.rules.gates.gate import Evidence, Gate, GateOutcome, GateParameters, Judgment
from apps.rules.gates.registry import GATES
from apps.rules.gates.rows import GateReads
from apps.rules.policies import PolicyPart, VersionedPolicy, fault_of, policy_checked, yaml_read
from apps.rules.registry import SLUG
from apps.rules.sentences import clause, sentence

MOST_GATES, MOST_NAME = 30, 60


def _gone(name: str) -> Gate:
    """In the place of a gate that no installed package brings any more."""

    def judge(evidence: Evidence, parameters: GateParameters) -> Judgment:
        return Judgment(
            GateOutcome.INCONCLUSIVE,
            sentence("No gate of the type “{type}” is installed any more; set the policy without it.", type=name),
        )

    return Gate(name, name, judge, parameters=AnyParameters)


class AnyParameters(GateParameters):
    """Of a gate that is gone: whatever was kept."""

    model_config = ConfigDict(extra="allow")


class GateSettings(PolicyPart):
    """One gate of a policy. A gate that does not block warns: it is judged and shown, and decides nothing."""

    type: str = Field(max_length=MOST_NAME)
    name: str = Field("", max_length=MOST_NAME)  # its type where it is empty
    blocking: bool = True
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _known(cls, given: str, info: ValidationInfo) -> str:
        if given not in GATES and not info.context:
            raise ValueError(sentence("no gate is called “{given}”; {known} are", given=given, known=", ".join(GATES)))
        return given

    @field_validator("name")
    @classmethod
    def _slug(cls, given: str) -> str:
        if given and not SLUG.fullmatch(given):
            raise ValueError(sentence("a name has small letters, digits and single dashes only"))
        return given

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> "GateSettings":
        if info.context:
            return self
        try:
            self.gate.parameters.model_validate(self.parameters)
        except Unfit as fault:
            raise ValueError(sentence("parameters, {fault}", fault=fault_of(fault))) from None
        if self.gate.required and not self.blocking:
            raise ValueError(sentence("“{type}” always blocks: a model that fails it cannot serve", type=self.type))
        return self

    @property
    def gate(self) -> Gate:
        return GATES.get(self.type) or _gone(self.type)

    @property
    def called(self) -> str:
        return self.name or self.type

    @property
    def typed(self) -> GateParameters:
        """Raises ValidationError where a kept policy does not fit any more."""
        return self.gate.parameters.model_validate(self.parameters)

    def judged(self, evidence: Evidence) -> Judgment:
        try:
            return self.gate.judged(evidence, self.typed)
        except Unfit as fault:
            words = sentence("Its settings cannot be used any more: {fault}.", fault=clause(fault_of(fault)))
            return Judgment(GateOutcome.INCONCLUSIVE, words)


class GatePolicy(VersionedPolicy):
    """The gates in the order in which a verdict lists them."""

    gates: tuple[GateSettings, ...] = Field(min_length=1, max_length=MOST_GATES)

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> "GatePolicy":
        if info.context:
            return self
        names = [gate.called for gate in self.gates]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(
                sentence("two gates are called “{twice}”; give one of them a name of its own", twice=twice)
            )
        there = {gate.type for gate in self.gates}
        if missing := next((gate.name for gate in GATES.values() if gate.required and gate.name not in there), ""):
            raise ValueError(
                sentence("“{missing}” is in every policy: a model that fails it cannot serve", missing=missing)
            )
        return self

    @property
    def reads(self) -> GateReads:
        """What has to be fetched before it can judge."""
        found = GateReads()
        for settings in self.gates:
            with suppress(Unfit):  # what no longer fits reads nothing and is in doubt
                found |= settings.gate.reads(settings.typed)
        return found


def gate_policy_of(given: Any) -> GatePolicy:
    """Raises PolicyRefused."""
    return policy_checked(GatePolicy, given, example="gates: [{type: loads}]")


def gate_policy_of_yaml(text: str) -> GatePolicy:
    """Raises PolicyRefused."""
    return gate_policy_of(yaml_read(text))


def kept_gate_policy(written: Any) -> GatePolicy:
    """One that was taken once: a gate whose package is gone since, or takes other settings, is in doubt and not refused."""
    return GatePolicy.model_validate(written, context={"kept": True})


def standing_policy() -> GatePolicy:
    """What judges where a project has no policy of its own: the house's five, and those of installed packages."""
    return gate_policy_of({"gates": [{"type": gate.name} for gate in GATES.values() if gate.standing]})
