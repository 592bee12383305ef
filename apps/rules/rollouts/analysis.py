"""Whether what a canary did so far is enough to stop, to wait or to go on. The words are those of Argo Rollouts.

A metric is judged by one of three tests. `obrien-fleming` knows how many looks are planned and errs at most `alpha` over all of
them; `msprt` may be looked at for ever; `threshold` takes conditions and counts failures as Argo does, with no promise at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from scipy.stats import norm

from apps.rules.rollouts.anytime import mixture_ratio
from apps.rules.rollouts.boundaries import boundaries, spent
from apps.rules.rollouts.conditions import is_met
from apps.rules.rollouts.metrics import Figures, Harm
from apps.rules.words import count

ALPHA = 0.05  # false aborts a metric, over all looks together


class MetricPhase(StrEnum):
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class MetricTest(StrEnum):
    OBRIEN_FLEMING = "obrien-fleming"
    MSPRT = "msprt"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """How one metric is judged. `looks` is Argo's `count`; 0 means that the test has no planned end."""

    title: str
    harm: Harm
    test: MetricTest = MetricTest.OBRIEN_FLEMING
    looks: int = 12
    min_sample: int = 0
    alpha: float = ALPHA
    tau: float = 0.005  # of mSPRT: the size of the differences that matter
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: int = 0
    inconclusive_limit: int = 0
    is_share: bool = True


@dataclass(frozen=True, slots=True)
class MetricJudgment:
    """`bounds` is for each look the z value at which it would have failed; infinite where it could not."""

    phase: MetricPhase
    reason: str
    bounds: tuple[float, ...]
    missing: int | None = None  # samples, where they are too few


def judge(plan: MetricPlan, looks: Sequence[Figures]) -> MetricJudgment:
    """All looks so far, oldest first. What failed once has failed, whatever a later look says."""
    if plan.test is MetricTest.THRESHOLD:
        return _by_threshold(plan, looks)
    bounds = _bounds(plan, looks)
    for number, (look, bound) in enumerate(zip(looks, bounds, strict=True), start=1):
        if harmful(plan.harm, look.comparison.z) >= bound:
            return MetricJudgment(MetricPhase.FAILED, _harm(plan, look, number), bounds)
    return _without_harm(plan, looks, bounds)


def harmful(harm: Harm, z: float) -> float:
    """The z value counted in the direction that hurts."""
    return {Harm.LOWER: -z, Harm.HIGHER: z, Harm.EITHER: abs(z)}[harm]


def _bounds(plan: MetricPlan, looks: Sequence[Figures]) -> tuple[float, ...]:
    alpha = plan.alpha / 2 if plan.harm is Harm.EITHER else plan.alpha
    if plan.test is MetricTest.MSPRT:
        return tuple(_bound_at_any_time(plan, look) for look in looks)
    if plan.harm is Harm.EITHER:  # its looks are no one path of a score, so their chances are added up
        steps = [spent(alpha, k / plan.looks) - spent(alpha, (k - 1) / plan.looks) for k in range(1, len(looks) + 1)]
        return tuple(float(norm.isf(step)) if step > 0 else inf for step in steps)
    return boundaries([look.comparison.information for look in looks], looks=plan.looks, alpha=alpha)


def _bound_at_any_time(plan: MetricPlan, look: Figures) -> float:
    """One side of the two that the test has gets all of alpha, since only one of them hurts."""
    comparison = look.comparison
    alpha = plan.alpha if plan.harm is Harm.EITHER else 2 * plan.alpha
    passed = mixture_ratio(comparison.difference, comparison.variance, tau=plan.tau) >= 1 / alpha
    return 0.0 if passed and harmful(plan.harm, comparison.z) > 0 else inf


def _harm(plan: MetricPlan, look: Figures, number: int) -> str:
    return f"{plan.title}: {_pair(plan, look)}; look {number} shows harm that chance does not explain."


def _pair(plan: MetricPlan, look: Figures) -> str:
    canary, stable = (_value(plan, v) for v in (look.canary, look.stable))
    return f"{canary} against {stable}"


def _value(plan: MetricPlan, value: float | None) -> str:
    if value is None:
        return "nothing"
    return f"{100 * value:.2f} %" if plan.is_share else f"{value:,.4g}"


def _without_harm(plan: MetricPlan, looks: Sequence[Figures], bounds: tuple[float, ...]) -> MetricJudgment:
    have = looks[-1].samples if looks else 0
    missing = max(plan.min_sample - have, 0)
    if not looks or plan.looks == 0 or len(looks) < plan.looks:
        of = f" of {plan.looks}" if plan.looks else ""
        reason = f"{plan.title}: no harm after look {len(looks)}{of}."
        return MetricJudgment(MetricPhase.RUNNING, reason, bounds, missing or None)
    if missing or looks[-1].canary is None or looks[-1].stable is None:
        lacking = f"{count(missing, 'sample')} missing" if missing else "an arm without any sample"
        reason = f"{plan.title}: {lacking} after {count(len(looks), 'look')}, so nothing can be said."
        return MetricJudgment(MetricPhase.INCONCLUSIVE, reason, bounds, missing or None)
    return MetricJudgment(
        MetricPhase.SUCCESSFUL,
        f"{plan.title}: {_pair(plan, looks[-1])}; no harm in {count(len(looks), 'look')}.",
        bounds,
    )


def _by_threshold(plan: MetricPlan, looks: Sequence[Figures]) -> MetricJudgment:
    """Argo's: fails when more looks failed than `failure_limit`; neither condition met is inconclusive."""
    bounds, failed, unclear = tuple(inf for _ in looks), 0, 0
    for number, look in enumerate(looks, start=1):
        outcome = _measured(plan, look)
        failed += outcome is MetricPhase.FAILED
        unclear += outcome is MetricPhase.INCONCLUSIVE
        if failed > plan.failure_limit:
            return MetricJudgment(
                MetricPhase.FAILED,
                f"{plan.title}: {_pair(plan, look)}; {count(failed, 'look')} of {number} failed.",
                bounds,
            )
        if unclear > plan.inconclusive_limit:
            return MetricJudgment(
                MetricPhase.INCONCLUSIVE,
                f"{plan.title}: {count(unclear, 'look')} of {number} could not tell.",
                bounds,
                max(plan.min_sample - look.samples, 0) or None,
            )
    if plan.looks and len(looks) >= plan.looks:
        return MetricJudgment(MetricPhase.SUCCESSFUL, f"{plan.title}: {_pair(plan, looks[-1])}.", bounds)
    return MetricJudgment(MetricPhase.RUNNING, f"{plan.title}: look {len(looks)}.", bounds)


def _measured(plan: MetricPlan, look: Figures) -> MetricPhase:
    if look.canary is None or look.samples < plan.min_sample or not isfinite(look.canary):
        return MetricPhase.INCONCLUSIVE
    values = {"result": look.canary, "canary": look.canary, "stable": look.stable or 0.0}
    success, failure = plan.success_condition, plan.failure_condition
    if failure and is_met(failure, values):
        return MetricPhase.FAILED
    if success and is_met(success, values):
        return MetricPhase.SUCCESSFUL
    if success and failure:
        return MetricPhase.INCONCLUSIVE
    return MetricPhase.FAILED if success else MetricPhase.SUCCESSFUL
