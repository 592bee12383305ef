"""When the incremental line must start anew: the measured gap, another schema, too many increments."""

from collections.abc import Sequence
from dataclasses import dataclass

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
        changes = [f"{_listed(names)} {word}" for names, word in ((added, "came"), (gone, "went")) if names]
        return f"In full, because the labels changed: {', '.join(changes)}."
    if limits.on_gap and line.gap is not None and line.gap.real:
        return (
            f"In full, because the last full run was better than the incremental line by {line.gap.points:.1f} points "
            f"({line.gap.low:.1f} to {line.gap.high:.1f})."
        )
    if limits.increments is not None and line.increments >= limits.increments:
        return f"In full, after {count(line.increments, 'incremental run')} in a row."
    return ""


def _listed(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
