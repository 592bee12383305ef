"""What an analysis can look at: a metric reads the evidence of both arms and says how far apart they are, and which way hurts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apps.rules.rollouts.samples import ArmDifference, ArmSample, compared

NOTHING = ArmDifference(0.0, 0.0, 0.0, 0.0)


class Harm(StrEnum):
    """In which direction a difference, canary minus stable, hurts."""

    LOWER = "lower"
    HIGHER = "higher"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class ArmEvidence:
    """What one arm did since the analysis began. `samples` are by name: `errors`, `slow`, and one for each feedback."""

    samples: Mapping[str, ArmSample] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)  # answers by label


@dataclass(frozen=True, slots=True)
class LookEvidence:
    """Both arms, and what the canary said to copies of the champion's requests. `feedback_shares` where each piece of feedback
    is worth 0 or 1."""

    canary: ArmEvidence
    stable: ArmEvidence
    mirrored: int = 0
    agreed: int = 0
    feedback_shares: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a metric found at one look. Rates are None where an arm has none yet."""

    canary: float | None
    stable: float | None
    samples: int  # of the canary
    comparison: ArmDifference


@dataclass(frozen=True, slots=True)
class RolloutMetric:
    """`look` takes the evidence and the `limit` that a policy sets; `limit` here is the one that stands where it sets none."""

    name: str
    title: str
    harm: Harm
    look: Callable[[LookEvidence, float | None], Figures]
    limit: float | None = None


def shares_of(name: str) -> Callable[[LookEvidence, float | None], Figures]:
    """A `look` at samples that each request made worth 0 or 1."""

    def look(evidence: LookEvidence, limit: float | None) -> Figures:
        return of_samples(evidence.canary.samples.get(name), evidence.stable.samples.get(name))

    return look


def of_samples(canary: ArmSample | None, stable: ArmSample | None, *, shares: bool = True) -> Figures:
    """Figures of two arms' sums; an arm without any has no rate."""
    return Figures(
        canary.rate if canary and canary.requests else None,
        stable.rate if stable and stable.requests else None,
        round(canary.requests) if canary else 0,
        compared(canary, stable, shares=shares) if canary and stable else NOTHING,
    )
