"""When the incremental line must start anew: the measured gap, another schema, too many increments."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.rules.sentences import joined, sentence
from apps.rules.words import count


@dataclass(frozen=True, slots=True)
class Gap:
    """Full minus incremental on the same holdout rows, in points of accuracy, with its 95 % interval."""

    points: float
    low: float
    high: float

    @property
    def real(self) -> bool:
        """Whether full is surely better. An interval below 0 would say that the incremental line is, and it goes on."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class FreshnessLimits:
    """What a project asks for; None and False are off."""

    increments: int | None = 20
    on_gap: bool = True
    on_schema_change: bool = True


@dataclass(frozen=True, slots=True)
class FreshnessLine:
    """The champion that an incremental run would start from.

    `gap` is the newest one measured, None where the champion comes from the full run that showed it: that line is mended.
    """

    increments: int
    labels: Sequence[str]
    wanted_labels: Sequence[str]
    gap: Gap | None = None


def full_because(line: FreshnessLine, limits: FreshnessLimits) -> str:
    """Why the next run is made full, in a sentence, or nothing. Order of labels is no change of schema."""
    added = [name for name in line.wanted_labels if name not in line.labels]
    gone = [name for name in line.labels if name not in line.wanted_labels]
    if limits.on_schema_change and (added or gone):
        changes = [
            *([sentence("{names} came", names=_listed(added))] if added else []),
            *([sentence("{names} went", names=_listed(gone))] if gone else []),
        ]
        return sentence("In full, because the labels changed: {changes}.", changes=joined(changes, ", "))
    if limits.on_gap and line.gap is not None and line.gap.real:
        return sentence(
            "In full, because the last full run was better than the incremental line by {points:.1f} points "
            "({low:.1f} to {high:.1f}).",
            points=line.gap.points,
            low=line.gap.low,
            high=line.gap.high,
        )
    if limits.increments is not None and line.increments >= limits.increments:
        return sentence(
            "In full, after {incremental_runs} in a row.", incremental_runs=count(line.increments, "incremental run")
        )
    return ""


def _listed(names: Sequence[str], most: int = 3) -> str:
    shown = joined([sentence("“{name}”", name=name) for name in names[:most]], ", ")
    return sentence("{some} and {more} more", some=shown, more=len(names) - most) if len(names) > most else shown
