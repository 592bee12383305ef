"""Which way of merging votes is in force: each is measured on examples whose answer is known."""

from dataclasses import dataclass
from math import comb

from apps.rules.sentences import sentence
from apps.rules.words import count, percent

LEAST_GOLD = 30  # below it a 95 % interval of a share is wider than 30 points
MAJORITY, DAWID_SKENE, BEST = "majority", "dawid-skene", "best"
NAMES = {MAJORITY: "Majority", DAWID_SKENE: "Dawid-Skene"}


@dataclass(frozen=True, slots=True)
class GoldScores:
    """On gold examples with votes: how many each method gets right, and how many only one of them does."""

    gold: int
    majority_right: int
    dawid_skene_right: int
    only_majority: int = 0
    only_dawid_skene: int = 0


@dataclass(frozen=True, slots=True)
class InForce:
    method: str
    sentence: str


def in_force(setting: str, scores: GoldScores, *, why_not: str = "") -> InForce:
    """The method and why. `why_not` names what keeps Dawid-Skene from being asked at all, and then majority holds."""
    if why_not:
        return InForce(MAJORITY, sentence("Majority is in force: {why_not}", why_not=why_not))
    told = _told(scores)
    if setting != BEST:
        return InForce(setting, sentence("{method} is in force, as set. {told}", method=NAMES[setting], told=told))
    if scores.gold < LEAST_GOLD:
        return InForce(MAJORITY, sentence("Majority is in force. {told}", told=told))
    better = scores.dawid_skene_right > scores.majority_right
    return InForce(
        DAWID_SKENE if better else MAJORITY,
        sentence("{method} is in force. {told}", method=NAMES[DAWID_SKENE if better else MAJORITY], told=told),
    )


def _told(scores: GoldScores) -> str:
    if scores.gold == 0:
        return sentence("No gold example has an answer yet, so nobody can tell which method is right more often.")
    both = sentence(
        "On {gold_examples} majority is right {times}, Dawid-Skene {times_2}",
        gold_examples=count(scores.gold, "gold example"),
        times=count(scores.majority_right, "time"),
        times_2=count(scores.dawid_skene_right, "time"),
    )
    if scores.gold < LEAST_GOLD:
        return sentence("{both}: too few to tell, {more} more can.", both=both, more=LEAST_GOLD - scores.gold)
    if scores.majority_right == scores.dawid_skene_right:
        return sentence("{both}: no difference, and majority is the simpler one.", both=both)
    chance = sign_test(scores.only_majority, scores.only_dawid_skene)
    if chance > 0.05:
        return sentence(
            "{both}; a difference of {examples} may be chance.",
            both=both,
            examples=count(abs(scores.dawid_skene_right - scores.majority_right), "example"),
        )
    return sentence(
        "{both}; chance alone would differ so much in {chance} of cases.", both=both, chance=percent(chance, 1)
    )


def sign_test(one: int, other: int) -> float:
    """Two-sided exact probability that the examples on which the two differ fall so unevenly (McNemar, exact).

    >>> sign_test(0, 5), sign_test(3, 3), sign_test(0, 0)
    (0.0625, 1.0, 1.0)
    """
    n, few = one + other, min(one, other)
    return float(min(1.0, 2 * sum(comb(n, i) for i in range(few + 1)) / 2**n))
