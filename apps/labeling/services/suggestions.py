"""What is suggested on an example, and when nothing is, so that it cannot sway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.labeling.models import Lane
from apps.rules.answers import Value
from apps.rules.holdout import in_holdout

# People are asked there what they think, not what a model thinks: a guess would measure itself.
UNSUGGESTED = frozenset({Lane.HOLDOUT, Lane.RANDOM, Lane.AUDIT, Lane.GOLD, Lane.RELABEL, Lane.REVIEW, Lane.DRIFT})


@dataclass(frozen=True)
class Suggestion:
    """One label by name, or the value of another kind of answer; empty where nothing is suggested."""

    label: str = ""
    value: Value | None = None
    confidence: float | None = None
    source: str = ""  # of imported predictions; our own model has none


NOTHING = Suggestion()


def suggestion_of(
    example_id: int, *, lane: str, reason: Mapping[str, Any], imported: Suggestion | None, blind_share: float
) -> Suggestion:
    """Our model's guess, else an imported one; nothing on the blind share (by hash: a reload cannot peek)."""
    if lane in UNSUGGESTED or in_holdout(str(example_id), salt="blind", share=blind_share):
        return NOTHING
    guess = reason.get("suggestion")
    if guess:
        return Suggestion(label=str(guess), confidence=float(reason["suggestion_confidence"]))
    return imported or NOTHING
