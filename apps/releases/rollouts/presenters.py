"""What the page of a rollout shows: its steps in words, which is over, and each metric's last look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.pages.numbers import fill
from apps.releases.models import Rollout, RolloutPhase
from apps.releases.rollouts.charts import name_of
from apps.releases.rollouts.replaying import Replay, ReplayLook
from apps.releases.rollouts.selectors import MetricWatch, watches_of
from apps.rules.rollouts.durations import in_words
from apps.rules.rollouts.metrics import METRICS
from apps.rules.rollouts.policy import (
    AT_ONCE,
    MetricSettings,
    RolloutPolicy,
    RolloutStep,
    canary,
    policy_of,
    shadow_first,
)


@dataclass(frozen=True)
class StepLine:
    """One step in words. `state` is over, now or later."""

    number: int
    words: str
    state: str


@dataclass(frozen=True)
class WatchLine:
    """One metric as a row. `say` is its phase for a person, `tone` the color that goes with it."""

    watch: MetricWatch
    title: str
    chart: str
    say: str
    tone: str
    missing: int | None


@dataclass(frozen=True)
class ReplayedRollout:
    """A replay for a page."""

    rollout: Rollout
    replay: Replay

    @property
    def tone(self) -> str:
        return {"aborted": "breach", "promoted": "ok", "paused": "paused"}.get(self.replay.outcome, "unsure")

    @property
    def say(self) -> str:
        return {
            "aborted": gettext("Would abort"),
            "promoted": gettext("Would reach everybody"),
            "paused": gettext("Would ask a person"),
            "record_ends": gettext("Record too short"),
            "cut_off": gettext("Cut off"),
        }[self.replay.outcome]

    @property
    def lines(self) -> list[tuple[ReplayLook, str, str]]:
        """Each look with its phase in words and the color that goes with it."""
        return [(look, str(say), tone) for look in self.replay.looks for say, tone in (_PHASES[look.judgment.phase],)]


@dataclass(frozen=True)
class PolicyPreset:
    name: str
    title: str | Promise
    hint: str | Promise
    policy: RolloutPolicy


def presets() -> Mapping[str, PolicyPreset]:
    """Where most policies begin."""
    found = (
        PolicyPreset(
            "at-once",
            gettext_lazy("At once"),
            gettext_lazy("One click moves all traffic, as a promotion does."),
            AT_ONCE,
        ),
        PolicyPreset(
            "canary",
            gettext_lazy("Canary"),
            gettext_lazy("1, 10, 50, 100 % of who asks; each weight is watched for half an hour."),
            canary(),
        ),
        PolicyPreset(
            "shadow-first",
            gettext_lazy("Shadow first"),
            gettext_lazy("It answers copies of all requests unseen, then the canary begins."),
            shadow_first(),
        ),
    )
    return {preset.name: preset for preset in found}


def page_of(rollout: Rollout, at: datetime) -> dict[str, Any]:
    policy = policy_of(rollout.policy)
    watches = watches_of(rollout, at)
    shown = max((watch.step for watch in watches), default=None)
    return {
        "rollout": rollout,
        "steps": steps_of(rollout, policy),
        "lines": [line_of(watch) for watch in watches if watch.step == shown],
        "earlier": [line_of(watch) for watch in watches if watch.step != shown],
        "false_aborts": policy.false_aborts,
    }


def steps_in_words(policy: RolloutPolicy) -> list[str]:
    return [step_in_words(step) for step in policy.steps]


def steps_of(rollout: Rollout, policy: RolloutPolicy) -> list[StepLine]:
    done = rollout.phase == RolloutPhase.HEALTHY
    return [
        StepLine(
            number + 1,
            step_in_words(step),
            "over" if done or number < rollout.step else "now" if number == rollout.step else "later",
        )
        for number, step in enumerate(policy.steps)
    ]


def step_in_words(step: RolloutStep) -> str:
    if step.set_weight is not None:
        return fill(gettext("{weight:g} % of who asks meet it"), weight=step.set_weight)
    if step.set_mirror_route is not None:
        return fill(
            gettext("It answers copies of {share:g} % of the requests, unseen"), share=step.set_mirror_route.percentage
        )
    if step.pause is not None:
        if step.pause.duration is None:
            return gettext("Waits for a person")
        return gettext("Waits {duration}").format(duration=in_words(step.pause.duration))
    assert step.analysis is not None
    metrics = step.analysis.metrics
    names = ", ".join(dict.fromkeys(title_in_words(metric, lower=True) for metric in metrics))
    longest = max(metric.initial_delay + metric.interval * metric.count for metric in metrics)
    return gettext("Watches {metrics}; {duration}").format(metrics=names, duration=in_words(longest))


def title_in_words(metric: MetricSettings, *, lower: bool = False) -> str:
    title = gettext(METRICS[metric.name].title)
    title = title.lower() if lower else title
    return title if metric.is_share else f"{title} “{metric.feedback_name}”"


def line_of(watch: MetricWatch) -> WatchLine:
    say, tone = _PHASES[watch.judgment.phase]
    return WatchLine(watch, title_in_words(watch.settings), name_of(watch), str(say), tone, watch.judgment.missing)


_PHASES = {
    "Running": (gettext_lazy("no harm so far"), "running"),
    "Successful": (gettext_lazy("no harm"), "ok"),
    "Failed": (gettext_lazy("harm"), "breach"),
    "Inconclusive": (gettext_lazy("cannot tell"), "paused"),
}
