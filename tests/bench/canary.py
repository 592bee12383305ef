"""What canary rules do to good and bad models: simulated rollouts of a click-through rate, judged by the product and by peers.

The setting: 5 % of impressions are clicked, 12 looks, each with 1,000 impressions of the canary and 9,000 of the stable arm. A
cell is one true effect (none, -5, -10, -20 % of the rate) and one rule; every rule sees the same rollouts. The product's own
analysis judges look by look, as it does in a rollout. Peers' rules are written from their documentation: Argo's
successCondition on the ratio of rates, Flagger's threshold of failed checks, Kayenta's Mann-Whitney judge on the figures of the
intervals at the end.

Each impression is of an entity of its own, whose click rate is drawn from Beta(1, 19): most click hardly ever, a few often, 5 % on
the whole. Its past are 50 impressions before the rollout. One rule more takes away what that past explains (CUPED); the others
see the clicks of the same draws.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from numpy.typing import NDArray
from scipy.stats import betabinom, norm

from apps.rules.rollouts.analysis import MetricPhase, MetricPlan, MetricTest, judge
from apps.rules.rollouts.metrics import Harm, of_samples
from apps.rules.rollouts.samples import ArmSample
from tests.bench._past import PastSample, compared_by_past

RATE, LOOKS, CANARY, STABLE = 0.05, 12, 1_000, 9_000
ALPHA, BETA, PAST = 1.0, 19.0, 50  # of the rates of entities; impressions that each had before
CELLS = np.arange(PAST + 1)  # clicks in the past
EFFECTS = (0.0, -0.05, -0.10, -0.20)
OPEN_BANDIT = Path("../shared/data/open_bandit_men.parquet")
Counts = NDArray[np.int64]
Verdicts = NDArray[np.int64]  # the look that aborted, 0 where none did
Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rollouts", type=int, default=2_000, help="a cell")
    parser.add_argument("--seed", type=int, default=1)


def run(*, say: Say, rollouts: int = 2_000, seed: int = 1) -> dict[str, Any]:
    if rollouts < 100:
        raise CommandError("--rollouts is at least 100; below it a share of aborts says nothing.")
    draws = np.random.default_rng(seed)
    table = {name: dict[float, tuple[float, float]]() for name in RULES}
    for effect in EFFECTS:
        canary, stable = drawn(draws, CANARY, effect, rollouts), drawn(draws, STABLE, 0.0, rollouts)
        clicks = canary[..., 1].sum(2), stable[..., 1].sum(2)
        for name, rule in RULES.items():
            aborted = adjusted(canary, stable) if rule is None else rule(*clicks)
            looks = float(aborted[aborted > 0].mean()) if (aborted > 0).any() else 0.0
            table[name][effect] = float((aborted > 0).mean()), looks
    for name, cells in table.items():
        say(f"{name:<42}" + "".join(f"{100 * share:8.1f} % ({looks:4.1f})" for share, looks in cells.values()))
    own = table["product"]
    return {
        "rules": {name: {f"{e:+.0%}": round(s, 4) for e, (s, _) in cells.items()} for name, cells in table.items()},
        **a_a(say, draws),
        "abort_good": round(own[0.0][0], 4),
        "catch_10": round(own[-0.10][0], 4),
        "catch_20": round(own[-0.20][0], 4),
        "looks_mean": round(own[-0.10][1], 2),
        "abort_good_adjusted": round(table[ADJUSTED][0.0][0], 4),
        "catch_10_adjusted": round(table[ADJUSTED][-0.10][0], 4),
    }


def drawn(draws: np.random.Generator, n: int, effect: float, rollouts: int) -> Counts:
    """Impressions of each look (rollouts, looks, past clicks, clicked), `n` a look: each of another entity, which clicks by its own
    rate, changed by the effect. Given its past that rate is Beta too, so nobody has to be drawn one by one."""
    chances = betabinom.pmf(CELLS, PAST, ALPHA, BETA)
    clicks = (ALPHA + CELLS) / (ALPHA + BETA + PAST) * (1 + effect)
    cells = np.stack([chances * (1 - clicks), chances * clicks], axis=1).reshape(-1)
    found = draws.multinomial(n, cells / cells.sum(), (rollouts, LOOKS))
    return found.reshape(rollouts, LOOKS, len(CELLS), 2)


def adjusted(canary: Counts, stable: Counts) -> Verdicts:
    """The product's boundaries on arms compared by what their entities did more or less than each used to."""
    plan = MetricPlan("Clicks", Harm.LOWER, looks=LOOKS, alpha=0.05)
    return np.array(
        [_first_failure_by_past(plan, c, s) for c, s in zip(canary.cumsum(1), stable.cumsum(1), strict=True)]
    )


def _first_failure_by_past(plan: MetricPlan, canary: Counts, stable: Counts) -> int:
    looks = []
    for number, (arm, rest) in enumerate(zip(canary, stable, strict=True), start=1):
        mine, others = past_sample(arm), past_sample(rest)
        plain = of_samples(mine.sample, others.sample)
        looks.append(replace(plain, comparison=compared_by_past(mine, others)))
        if judge(plan, looks).phase is MetricPhase.FAILED:
            return number
    return 0


def past_sample(cells: Counts) -> PastSample:
    """Of impressions by (past clicks, clicked)."""
    seen, clicked, rates = cells.sum(1), cells[:, 1], CELLS / PAST
    requests, past, squared = int(seen.sum()), float(seen @ rates), float(seen @ rates**2)
    sample = ArmSample.of_shares(requests=requests, events=int(clicked.sum()))
    return PastSample(sample, past, squared, with_requests=past, with_worth=float(clicked @ rates))


def product(canary: Counts, stable: Counts, test: MetricTest = MetricTest.OBRIEN_FLEMING) -> Verdicts:
    """The analysis of apps.rules.rollouts, given one look more each time, until it fails."""
    plan = MetricPlan("Clicks", Harm.LOWER, test=test, looks=LOOKS, alpha=0.05)
    return np.array([_first_failure(plan, c, s) for c, s in zip(canary.cumsum(1), stable.cumsum(1), strict=True)])


def _first_failure(plan: MetricPlan, canary: Sequence[int], stable: Sequence[int]) -> int:
    looks = []
    for number, (clicks, others) in enumerate(zip(canary, stable, strict=True), start=1):
        arm = ArmSample.of_shares(requests=CANARY * number, events=int(clicks))
        rest = ArmSample.of_shares(requests=STABLE * number, events=int(others))
        looks.append(of_samples(arm, rest))
        if judge(plan, looks).phase is MetricPhase.FAILED:
            return number
    return 0


def msprt(canary: Counts, stable: Counts) -> Verdicts:
    return product(canary, stable, MetricTest.MSPRT)


def argo(canary: Counts, stable: Counts, *, limit: int) -> Verdicts:
    """`successCondition: result >= 0.95` of each interval's ratio of rates; aborts when more than `limit` looks failed."""
    failed = (canary / CANARY < 0.95 * stable / STABLE).cumsum(1) > limit
    return _first(failed)


def flagger(canary: Counts, stable: Counts, *, threshold: int = 5) -> Verdicts:
    """The same check; rolls back when `threshold` checks failed (at least, where Argo says more than)."""
    return argo(canary, stable, limit=threshold - 1)


def naive(canary: Counts, stable: Counts) -> Verdicts:
    """A z test of all impressions so far at each look, two-sided at 5 %, as if it were the only one."""
    at = np.arange(1, LOOKS + 1)
    clicks, others = canary.cumsum(1), stable.cumsum(1)
    pooled = (clicks + others) / ((CANARY + STABLE) * at)
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / (CANARY * at) + 1 / (STABLE * at)))
    return _first((clicks / (CANARY * at) - others / (STABLE * at)) / deviation < norm.ppf(0.025))


def kayenta(canary: Counts, stable: Counts, *, level: float = 0.98, tolerance: float = 0.25) -> Verdicts:
    """Mann-Whitney at the end: low where the whole interval of the shift lies below -tolerance x its estimate's size."""
    shifts = np.sort(((canary / CANARY)[:, :, None] - (stable / STABLE)[:, None, :]).reshape(len(canary), -1), axis=1)
    pairs, n = shifts.shape[1], LOOKS
    rank = int(pairs / 2 - norm.isf((1 - level) / 2) * np.sqrt(n * n * (2 * n + 1) / 12))
    estimate, upper = np.median(shifts, axis=1), shifts[:, pairs - 1 - rank]
    return np.where(upper < -tolerance * np.abs(estimate), LOOKS, 0)


def _first(failed: NDArray[np.bool_]) -> Verdicts:
    return np.where(failed.any(1), failed.argmax(1) + 1, 0)


ADJUSTED = "product, by the past of each entity"
RULES: dict[str, Callable[[Counts, Counts], Verdicts] | None] = {  # None: the one that sees the past
    "product": product,
    ADJUSTED: None,
    "product, open-ended (mSPRT)": msprt,
    "Argo, 95 % of the baseline, failureLimit 0": lambda c, s: argo(c, s, limit=0),
    "Argo, 95 % of the baseline, failureLimit 3": lambda c, s: argo(c, s, limit=3),
    "Flagger, threshold 5": flagger,
    "z test at each look": naive,
    "Kayenta at the end": kayenta,
}


def a_a(say: Say, draws: np.random.Generator, *, times: int = 1_000) -> dict[str, float]:
    """One real click log, split at random into two arms that do not differ: how often the product aborts all the same."""
    if not OPEN_BANDIT.exists():
        say("A/A on a real click log is left out: ../shared/data/open_bandit_men.parquet is not here.")
        return {}
    import pyarrow.parquet as pq

    clicks = np.asarray(pq.read_table(OPEN_BANDIT, columns=["label"]).column("label").to_numpy(), np.int64)
    ends = [len(clicks) * k // LOOKS for k in range(1, LOOKS + 1)]
    plan = MetricPlan("Clicks", Harm.LOWER, looks=LOOKS, alpha=0.05)
    aborted = 0
    for _ in range(times):
        in_canary = draws.random(len(clicks)) < 0.1
        looks = [
            of_samples(
                ArmSample.of_shares(requests=int(arm[:end].sum()), events=int(clicks[:end][arm[:end]].sum())),
                ArmSample.of_shares(requests=int((~arm[:end]).sum()), events=int(clicks[:end][~arm[:end]].sum())),
            )
            for arm in (in_canary,)
            for end in ends
        ]
        aborted += judge(plan, looks).phase is MetricPhase.FAILED
    say(f"A/A, {times:,} splits of {len(clicks):,} real impressions with {int(clicks.sum())} clicks: {aborted} aborted")
    return {"a_a_aborted": round(aborted / times, 4)}
