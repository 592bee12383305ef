"""Whether an alarm was right: wrong answers after it against those on the holdout, beyond the tolerance and beyond chance."""

from dataclasses import dataclass

from apps.rules.sentences import sentence
from apps.rules.words import percent

LEAST = 30  # labels of the time, to say anything
SURE = 0.05  # chance of so many wrong answers where nothing rose


@dataclass(frozen=True, slots=True)
class AlarmEvidence:
    wrong: int
    answers: int
    reference_wrong: int
    reference_answers: int
    tolerance: float


@dataclass(frozen=True, slots=True)
class AlarmJudgment:
    """`verdict` is true, false or undecided."""

    verdict: str
    reason: str


def judge_alarm(of: AlarmEvidence) -> AlarmJudgment:
    """True where the share of wrong answers rose by more than the tolerance and surely; false where labels came and it did not.

    >>> judge_alarm(AlarmEvidence(60, 200, 20, 200, 0.02)).verdict, judge_alarm(AlarmEvidence(21, 200, 20, 200, 0.02)).verdict
    ('true', 'false')
    """
    from scipy.stats import hypergeom

    if min(of.answers, of.reference_answers) < LEAST:
        return AlarmJudgment(
            "undecided",
            sentence("Only {n} labels of that time came back; {least} are needed to tell.", n=of.answers, least=LEAST),
        )
    now, before = of.wrong / of.answers, of.reference_wrong / of.reference_answers
    both = of.wrong + of.reference_wrong
    chance = float(hypergeom.sf(of.wrong - 1, of.answers + of.reference_answers, both, of.answers))
    rose = now > before + of.tolerance and chance < SURE
    figures = {"now": percent(now, 1), "n": of.answers, "before": percent(before, 1)}
    if rose:
        return AlarmJudgment(
            "true", sentence("{now} of {n:,} answers with a label were wrong; {before} on the holdout.", **figures)
        )
    return AlarmJudgment(
        "false", sentence("{now} of {n:,} answers with a label were wrong, as on the holdout ({before}).", **figures)
    )
