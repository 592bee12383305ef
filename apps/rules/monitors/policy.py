"""Which monitors look at a project, and how many false alarms a month they may raise together; from YAML or JSON, or refused.

budget: 1
monitors:
- type: class_mix
- type: column-drift
  window: 1d
  raisedWindows: 2
  ofWindows: 3
  parameters: {columns: [age, job]}
- type: performance
  severity: alarms
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic import ValidationError as Unfit

from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed
from apps.rules.monitors.judging import judge_window
from apps.rules.monitors.monitor import (
    Chance,
    DriftMonitor,
    FeatureMeasure,
    MonitorParameters,
    NothingToRead,
    Severity,
    WindowJudgment,
    WindowTarget,
)
from apps.rules.monitors.registry import MONITORS
from apps.rules.policies import PolicyPart, VersionedPolicy, fault_of, policy_checked, yaml_read
from apps.rules.registry import SLUG
from apps.rules.rollouts.durations import duration_of, in_words
from apps.rules.sentences import clause, sentence

MONTH = timedelta(days=30)
MOST_MONITORS, MOST_NAME, MOST_WINDOWS = 30, 60, 10
LEAST_WINDOW, MOST_WINDOW = timedelta(minutes=15), timedelta(days=28)
DRAWS = 1000  # of undrifted windows, for a threshold
Length = Annotated[
    timedelta, BeforeValidator(duration_of), PlainSerializer(in_words, return_type=str, when_used="always")
]


class AnyMonitorParameters(MonitorParameters):
    """Of a monitor that is gone: whatever was kept."""

    model_config = ConfigDict(extra="allow")


def _gone(name: str) -> DriftMonitor:
    """In the place of a monitor that no installed package brings any more."""

    def measure(of: MonitorEvidence, parameters: MonitorParameters, chance: Chance) -> list[FeatureMeasure]:
        raise NothingToRead(
            sentence("No monitor of the type “{type}” is installed any more; set the policy without it.", type=name)
        )

    return DriftMonitor(name, name, measure, parameters=AnyMonitorParameters, needs=frozenset())


class MonitorSettings(PolicyPart):
    """One monitor of a policy. `weight` is its part of the budget: 2 has twice that of 1, so it alarms sooner."""

    type: str = Field(max_length=MOST_NAME)
    name: str = Field("", max_length=MOST_NAME)  # its type where it is empty
    on: bool = True
    severity: Severity | None = None  # None: that of its type
    window: Length | None = None  # None: that of its type
    of_windows: int = Field(1, ge=1, le=MOST_WINDOWS)
    raised_windows: int = Field(1, ge=1, le=MOST_WINDOWS)
    weight: float = Field(1.0, ge=0.01, le=100)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _known(cls, given: str, info: ValidationInfo) -> str:
        if given not in MONITORS and not info.context:
            raise ValueError(
                sentence("no monitor is called “{given}”; {known} are", given=given, known=", ".join(MONITORS))
            )
        return given

    @field_validator("name")
    @classmethod
    def _slug(cls, given: str) -> str:
        if given and not SLUG.fullmatch(given):
            raise ValueError(sentence("a name has small letters, digits and single dashes only"))
        return given

    @field_validator("window")
    @classmethod
    def _between(cls, given: timedelta | None) -> timedelta | None:
        if given is not None and not LEAST_WINDOW <= given <= MOST_WINDOW:
            raise ValueError(
                sentence("a window is {least} to {most} long", least=in_words(LEAST_WINDOW), most=in_words(MOST_WINDOW))
            )
        return given

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> "MonitorSettings":
        if info.context:
            return self
        try:
            _ = self.typed
        except Unfit as fault:
            raise ValueError(sentence("parameters, {fault}", fault=fault_of(fault))) from None
        if self.raised_windows > self.of_windows:
            raise ValueError(
                sentence("{n} of {windows} windows cannot be raised", n=self.raised_windows, windows=self.of_windows)
            )
        return self

    @property
    def monitor(self) -> DriftMonitor:
        return MONITORS.get(self.type) or _gone(self.type)

    @property
    def called(self) -> str:
        return self.name or self.type

    @property
    def length(self) -> timedelta:
        return self.window or timedelta(hours=self.monitor.window_hours)

    @property
    def step(self) -> timedelta:
        """From the end of a window to that of the next one: shorter than the window where the monitor slides."""
        hours = self.monitor.slide_hours
        slide = timedelta(hours=hours) if hours else self.length
        return slide if slide < self.length and self.length % slide == timedelta(0) else self.length

    @property
    def acts(self) -> Severity:
        return self.severity or self.monitor.severity

    @property
    def typed(self) -> MonitorParameters:
        """Raises ValidationError where a kept policy does not fit any more."""
        return self.monitor.parameters.model_validate(self.parameters)

    def judged(self, of: MonitorEvidence, target: WindowTarget) -> WindowJudgment:
        """Raises CannotTell or NothingToRead in words."""
        try:
            return judge_window(self.monitor, of, self.typed, target)
        except Unfit as fault:
            words = sentence("Its settings cannot be used any more: {fault}.", fault=clause(fault_of(fault)))
            raise NothingToRead(words) from None


class MonitorPolicy(VersionedPolicy):
    """`budget` is in false alarms a month of 30 days, of all monitors together. `cooldown` is how long after a release nothing
    alarms: what comes then is another model's."""

    budget: float = Field(1.0, ge=0.01, le=100)
    cooldown: Length = timedelta(hours=1)
    monitors: tuple[MonitorSettings, ...] = Field(min_length=1, max_length=MOST_MONITORS)

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> "MonitorPolicy":
        if info.context:
            return self
        names = [each.called for each in self.monitors]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(
                sentence("two monitors are called “{twice}”; give one of them a name of its own", twice=twice)
            )
        return self

    @property
    def on(self) -> tuple[MonitorSettings, ...]:
        return tuple(each for each in self.monitors if each.on)

    @property
    def needs(self) -> frozenset[MonitorNeed]:
        """What has to be fetched."""
        return frozenset(need for each in self.on for need in each.monitor.needs)

    def share(self, settings: MonitorSettings) -> float:
        """Its false alarms a month, of the budget; 0 for one that is off."""
        weights = sum(each.weight for each in self.on)
        return self.budget * settings.weight / weights if settings.on else 0.0

    def target(self, settings: MonitorSettings, *, seed: int = 0, draws: int = DRAWS) -> WindowTarget:
        """How rarely a window of it may end in an alarm."""
        per_window = min(self.share(settings) * (settings.step / MONTH), 0.5)
        return WindowTarget(per_window, settings.of_windows, settings.raised_windows, draws, seed)

    def reweighted(self, name: str, factor: float) -> "MonitorPolicy":
        """One monitor with so many times its weight, as far as weights go."""
        monitors = tuple(
            each.model_copy(update={"weight": min(max(each.weight * factor, 0.01), 100)})
            if each.called == name
            else each
            for each in self.monitors
        )
        return self.model_copy(update={"monitors": monitors})

    def named(self, name: str) -> MonitorSettings | None:
        return next((each for each in self.monitors if each.called == name), None)


def expected_alarms(policy: MonitorPolicy, telling: Mapping[str, bool]) -> float:
    """False alarms a month, of the monitors that have what they read; those that cannot tell raise none."""
    return sum(policy.share(each) for each in policy.on if telling.get(each.called, False))


def monitor_policy_of(given: Any) -> MonitorPolicy:
    """Raises PolicyRefused."""
    return policy_checked(MonitorPolicy, given, example="monitors: [{type: class_mix}]")


def monitor_policy_of_yaml(text: str) -> MonitorPolicy:
    """Raises PolicyRefused."""
    return monitor_policy_of(yaml_read(text))


def kept_monitor_policy(written: Any) -> MonitorPolicy:
    """One that was taken once: a monitor whose package is gone since, or takes other settings, is off in words."""
    return MonitorPolicy.model_validate(written, context={"kept": True})


def standing_monitors() -> MonitorPolicy:
    """What looks where a project has no policy of its own."""
    return monitor_policy_of({"monitors": [{"type": each.name} for each in MONITORS.values() if each.standing]})
