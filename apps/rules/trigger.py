"""When a training run starts by itself: new labels, time, or people who contradict the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from apps.rules.sentences import sentence
from apps.rules.words import count, percent

Floats = NDArray[np.float64]

IMPATIENCE = 2  # times what was asked for: then a run starts even while people go on labeling
LEAST_ANSWERS = 30  # below it a share is known to 30 points at best
CHANCE = 0.01  # how often a calibrated model may be contradicted this much; the rule looks often, so it is strict
EXACT = (
    500  # answers up to which the distribution is summed exactly; beyond it the normal one is off by less than CHANCE
)


class Cause(StrEnum):
    """What can start a run by itself."""

    LABELS = "labels"
    MINUTES = "minutes"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project asks for; None is off."""

    new_labels: int | None = None
    minutes: int | None = None
    disagreement_points: float | None = None
    debounce_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Guesses:
    """Answers that had a model's guess: how many contradicted it, how many its confidence lets expect, and the chance
    of at least that many contradictions if the confidence is honest."""

    answers: int = 0
    contradicted: int = 0
    expected: float = 0.0
    chance: float = 1.0

    @property
    def excess_points(self) -> float:
        return 100 * (self.contradicted - self.expected) / self.answers if self.answers else 0.0


@dataclass(frozen=True, slots=True)
class TriggerEvidence:
    """What has happened since the last run. `since` is its start; before the first run, the first new label's time."""

    new_labels: int
    last_label_at: datetime | None
    last_run_at: datetime | None
    since: datetime | None
    run_open: bool
    guesses: Guesses = Guesses()


@dataclass(frozen=True, slots=True)
class Condition:
    """One cause that is on: how far it is, in words. `insists`: met so clearly that nobody's labeling may delay it."""

    cause: Cause
    met: bool
    insists: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Decision:
    fire: bool
    reason: str
    cause: Cause | None = None


def decide(now: datetime, evidence: TriggerEvidence, settings: Settings) -> Decision:
    """Whether to start a run now, and which cause fired.

    Labels come in bursts, so a run waits until none came for `debounce_s`, unless twice what was asked for is
    there: people who never pause must not starve training. Two runs start at least `debounce_s` apart.
    """
    conditions = conditions_of(now, evidence, settings)
    if not conditions:
        return Decision(False, sentence("No cause is set, so no run starts by itself."))
    if evidence.run_open:
        return Decision(
            False,
            sentence(
                "A run is open; {new_labels} wait for the next.", new_labels=count(evidence.new_labels, "new label")
            ),
        )
    met = [condition for condition in conditions if condition.met]
    if not met:
        return Decision(
            False, " ".join(sentence("{sentence}.", sentence=condition.sentence) for condition in conditions)
        )
    quiet = timedelta(seconds=settings.debounce_s)
    if evidence.last_run_at is not None and now - evidence.last_run_at < quiet:
        return Decision(
            False, sentence("The last run started less than {debounce_s:g} s ago.", debounce_s=settings.debounce_s)
        )
    still_coming = evidence.last_label_at is not None and now - evidence.last_label_at < quiet
    if still_coming and not any(condition.insists for condition in met):
        return Decision(
            False, sentence("{new_labels}, and more are coming in.", new_labels=count(evidence.new_labels, "new label"))
        )
    return Decision(True, sentence("{sentence}.", sentence=met[0].sentence), met[0].cause)


def conditions_of(now: datetime, evidence: TriggerEvidence, settings: Settings) -> tuple[Condition, ...]:
    """The causes that are on, each with its present value against what was asked for, in the order they are tried."""
    found = []
    if settings.new_labels is not None:
        found.append(_by_labels(evidence, settings.new_labels))
    if settings.minutes is not None:
        found.append(_by_minutes(now, evidence, settings.minutes))
    if settings.disagreement_points is not None:
        found.append(_by_disagreement(evidence, settings.disagreement_points))
    return tuple(found)


def guesses_of(confidence: Sequence[float], contradicted: Sequence[bool]) -> Guesses:
    """Sum up answers with a guess: confidence (n,) of the guesses and whether people contradicted each (n,).

    Raises ValueError for unequal lengths or a confidence outside [0, 1].
    """
    sure, against = np.asarray(confidence, dtype=np.float64), np.asarray(contradicted, dtype=bool)
    if sure.shape != against.shape or not np.all((sure >= 0) & (sure <= 1)):
        raise ValueError("Each guess has one answer and a confidence between 0 and 1.")
    if len(sure) == 0:
        return Guesses()
    observed = int(against.sum())
    return Guesses(len(sure), observed, float((1 - sure).sum()), chance_of_at_least(observed, 1 - sure))


def chance_of_at_least(observed: int, rates: Floats) -> float:
    """P(X >= observed) for X a sum of independent events with these rates (n,): the Poisson-binomial distribution.

    Exact by convolution up to EXACT events, else normal with a correction for continuity (Hong 2013).
    """
    if observed <= 0:
        return 1.0
    if len(rates) <= EXACT:
        shares = np.zeros(len(rates) + 1)
        shares[0] = 1.0
        for rate in rates:
            shares[1:] = shares[1:] * (1 - rate) + shares[:-1] * rate
            shares[0] *= 1 - rate
        return float(min(shares[observed:].sum(), 1.0))
    spread = float(np.sqrt((rates * (1 - rates)).sum()))
    beyond = observed - 0.5 - float(rates.sum())
    if spread == 0:
        return 1.0 if beyond < 0 else 0.0
    return 0.5 * erfc(beyond / spread / sqrt(2))


def _by_labels(evidence: TriggerEvidence, needed: int) -> Condition:
    new, needed = evidence.new_labels, max(needed, 1)
    return Condition(
        Cause.LABELS,
        new >= needed,
        new >= IMPATIENCE * needed,
        sentence("{new_labels}; it starts at {needed:,}", new_labels=count(new, "new label"), needed=needed),
    )


def _by_minutes(now: datetime, evidence: TriggerEvidence, needed: int) -> Condition:
    if evidence.new_labels < 1 or evidence.since is None:
        return Condition(
            Cause.MINUTES, False, False, sentence("No new label, so {needed:,} min do not start a run", needed=needed)
        )
    passed = (now - evidence.since).total_seconds() / 60
    return Condition(
        Cause.MINUTES,
        passed >= needed,
        passed >= IMPATIENCE * needed,
        sentence(
            "{passed:,} of {needed:,} min with {new_labels}",
            passed=max(int(passed), 0),
            needed=needed,
            new_labels=count(evidence.new_labels, "new label"),
        ),
    )


def _by_disagreement(evidence: TriggerEvidence, needed: float) -> Condition:
    guesses = evidence.guesses
    if guesses.answers < LEAST_ANSWERS:
        told = sentence(
            "{answers} of {least} answers to compare with the model’s suggestions",
            answers=guesses.answers,
            least=LEAST_ANSWERS,
        )
        return Condition(Cause.DISAGREEMENT, False, False, told)
    told = sentence(
        "People contradict the model on {share} of {answers}; it expects {expected}",
        share=percent(guesses.contradicted / guesses.answers),
        answers=count(guesses.answers, "answer"),
        expected=percent(guesses.expected / guesses.answers),
    )
    met = guesses.chance <= CHANCE and guesses.excess_points >= needed and evidence.new_labels >= 1
    return Condition(Cause.DISAGREEMENT, met, met and guesses.answers >= IMPATIENCE * LEAST_ANSWERS, told)
