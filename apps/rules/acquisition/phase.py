"""Whether the model chooses yet: from what people answered to one decision with its sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apps.rules.words import percent

LEAST_CHECKED = 10  # answers; with fewer, one lucky guess decides
# Labels; from about as many on, a model's doubt serves better than typicality whatever it is right on.
ENOUGH_PER_CLASS = 10


@dataclass(frozen=True, slots=True)
class PhaseEvidence:
    """What is known of the newest model.

    labels_per_class counts every class of the schema, zeros too. right of checked answers the model foretold, out of
    those given after it was trained, or of the holdout; majority of the same are right for whoever always names their
    most common label. model_chose: whether the answers were chosen by a model's doubt, hence its hardest.
    """

    labels_per_class: tuple[int, ...]
    right: int = 0
    majority: int = 0
    checked: int = 0
    model_chose: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    chooser: Literal["start", "model"]
    sentence: str


def evidence_of(guesses: Sequence[int], answers: Sequence[int], labels_per_class: Sequence[int]) -> PhaseEvidence:
    """Counts what the model foretold: guesses (n,) and answers (n,) are classes as indices, in the same order.

    >>> evidence_of([0, 1, 1], [0, 1, 0], [4, 3])
    Evidence(labels_per_class=(4, 3), right=2, majority=2, checked=3, model_chose=False)
    """
    answers = list(answers)
    right = sum(guess == answer for guess, answer in zip(guesses, answers, strict=True))
    majority = max((answers.count(c) for c in set(answers)), default=0)
    return PhaseEvidence(tuple(int(n) for n in labels_per_class), int(right), majority, len(answers))


def phase_of(evidence: PhaseEvidence) -> Phase:
    """The model chooses once it foretells answers better than their most common label would.

    A model's guess at new answers is the only measurement there is so early. Its doubt is worth asking for as soon as
    it has seen something of the classes; before, it doubts blindly. A model that chose keeps choosing: it is asked
    about what it knows least, so being wrong there says nothing against it.
    """
    seen = sum(count > 0 for count in evidence.labels_per_class)
    if seen < 2:
        return Phase(
            "start", "Typical examples come first until two labels have been given: a model needs two to compare."
        )
    if evidence.model_chose:
        return Phase("model", "The model chooses.")
    if sum(evidence.labels_per_class) >= ENOUGH_PER_CLASS * len(evidence.labels_per_class):
        return Phase("model", f"The model chooses: there are {ENOUGH_PER_CLASS} answers for each label on average.")
    if evidence.checked < LEAST_CHECKED:
        return Phase(
            "start",
            "Typical examples come first until the model was checked on"
            f" {LEAST_CHECKED} new answers; so far on {evidence.checked}.",
        )
    right, plain = percent(evidence.right / evidence.checked), percent(evidence.majority / evidence.checked)
    if evidence.right > evidence.majority:
        return Phase(
            "model", f"The model chooses: it foretold {right} of new answers, the most common label only {plain}."
        )
    return Phase(
        "start",
        f"Typical examples come first: the model foretold {right} of new answers, the most common label {plain}.",
    )
