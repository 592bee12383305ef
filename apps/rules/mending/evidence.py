"""Whether the labels of an alarm say that its model is wrong more often than it was; else there is nothing to mend."""

from dataclasses import dataclass
from enum import StrEnum

from apps.rules.monitors import MonitorCause

SURE = 0.1  # that labels which contradict a model no more than ever start a run
LEAST_TOLD = 20  # labels drawn by chance; by fewer nothing is said, and the run comes as if they contradicted it
TOLD_BY_ITSELF = (MonitorCause.LOSS, MonitorCause.GROUPS)  # these alarms come of answers that were wrong


class LaneVerdict(StrEnum):
    """`open` waits for the rest of the labels."""

    WRONG = "wrong"
    AS_EVER = "as ever"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ContradictedAnswers:
    """Of `of` labels, drawn by chance from the drifted part, `contradicted` are not what the model answered. `usual` is the share
    that it had wrong on its holdout."""

    contradicted: int
    of: int
    usual: float

    def is_sure(self, chance: float) -> bool:
        """Whether it is wrong more often than usual, by a binomial test at this `chance` of a mistake."""
        from scipy.stats import binomtest

        usual = min(max(self.usual, 0.01), 0.99)
        return bool(self.contradicted and binomtest(self.contradicted, self.of, usual, "greater").pvalue < chance)


def lane_verdict(cause: str, found: ContradictedAnswers, *, complete: bool) -> LaneVerdict:
    """`complete`: no more labels come. Before that, labels which contradict it somewhat more often than usual leave it open."""
    if cause in TOLD_BY_ITSELF or found.is_sure(SURE) or (complete and found.of < LEAST_TOLD):
        return LaneVerdict.WRONG
    if found.of < LEAST_TOLD:
        return LaneVerdict.OPEN
    return LaneVerdict.AS_EVER if complete or found.contradicted <= found.usual * found.of else LaneVerdict.OPEN
