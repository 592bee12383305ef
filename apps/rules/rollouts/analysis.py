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
from apps.rules.sentences import sentence, term
from apps.rules.words import count, percent

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
    return sentence(
        "{metric}: {pair}; look {number} shows harm that chance does not explain.",
        metric=term(plan.title),
        pair=_pair(plan, look),
        number=number,
    )


def _pair(plan: MetricPlan, look: Figures) -> str:
    canary, stable = (_value(plan, v) for v in (look.canary, look.stable))
    return sentence("{canary} against {stable}", canary=canary, stable=stable)


def _value(plan: MetricPlan, value: float | None) -> str:
    if value is None:
        return sentence("nothing")
    return percent(value, 2) if plan.is_share else f"{value:,.4g}"


def _without_harm(plan: MetricPlan, looks: Sequence[Figures], bounds: tuple[float, ...]) -> MetricJudgment:
    have = looks[-1].samples if looks else 0
    missing = max(plan.min_sample - have, 0)
    if not looks or plan.looks == 0 or len(looks) < plan.looks:
        named = {"metric": term(plan.title), "number": len(looks)}
        reason = sentence("{metric}: no harm after look {number}.", **named)
        if plan.looks:
            reason = sentence("{metric}: no harm after look {number} of {looks}.", looks=plan.looks, **named)
        return MetricJudgment(MetricPhase.RUNNING, reason, bounds, missing or None)
    if missing or looks[-1].canary is None or looks[-1].stable is None:
        named = {"metric": term(plan.title), "looks": count(len(looks), "look")}
        reason = sentence("{metric}: an arm without any sample after {looks}, so nothing can be said.", **named)
        if missing:
            lacking = count(missing, "sample")
            reason = sentence(
                "{metric}: {samples} missing after {looks}, so nothing can be said.", samples=lacking, **named
            )
        return MetricJudgment(MetricPhase.INCONCLUSIVE, reason, bounds, missing or None)
    return MetricJudgment(
        MetricPhase.SUCCESSFUL,
        sentence(
            "{metric}: {pair}; no harm in {looks}.",
            metric=term(plan.title),
            pair=_pair(plan, looks[-1]),
            looks=count(len(looks), "look"),
        ),
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
                sentence(
                    "{metric}: {pair}; {failed} of {number} failed.",
                    metric=term(plan.title),
                    pair=_pair(plan, look),
                    failed=count(failed, "look"),
                    number=number,
                ),
                bounds,
            )
        if unclear > plan.inconclusive_limit:
            return MetricJudgment(
                MetricPhase.INCONCLUSIVE,
                sentence(
                    "{metric}: {unclear} of {number} could not tell.",
                    metric=term(plan.title),
                    unclear=count(unclear, "look"),
                    number=number,
                ),
                bounds,
                max(plan.min_sample - look.samples, 0) or None,
            )
    if plan.looks and len(looks) >= plan.looks:
        pair = _pair(plan, looks[-1])
        return MetricJudgment(
            MetricPhase.SUCCESSFUL, sentence("{metric}: {pair}.", metric=term(plan.title), pair=pair), bounds
        )
    reason = sentence("{metric}: look {number}.", metric=term(plan.title), number=len(looks))
    return MetricJudgment(MetricPhase.RUNNING, reason, bounds)


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
