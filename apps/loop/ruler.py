"""The time ruler of the clock: where seconds lie between its ends, in percent. Geometry only, no query and no HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext

from apps.pages.numbers import percent
from apps.pages.templatetags.wording import duration

HOUR = 3600.0
STEPS_S = (
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
    96 * HOUR,
    168 * HOUR,
    336 * HOUR,
    672 * HOUR,
    2016 * HOUR,
    8064 * HOUR,
)
MOST_STEPS = 7  # as on the design's ruler: 0 to 84 h in steps of 12
OWN_SCALE = 0.05  # of the target: a shorter lap would be a dot on the target's ruler
STRETCH = 2.5  # an open lap this many times longer than the ruler is cut at its end instead of squeezing the rest
THINNEST = 0.25  # percent; a part of a second is still seen


@dataclass(frozen=True)
class Tick:
    at: float
    words: str
    anchor: str
    is_target: bool = False


@dataclass(frozen=True)
class Piece:
    """One bar: from `x` percent, `width` percent wide; hatched where it is waiting."""

    stage: str
    waiting: bool
    x: float
    width: float


@dataclass(frozen=True)
class Part:
    """Seconds of one stage."""

    stage: str
    wait_s: float
    work_s: float

    @property
    def total_s(self) -> float:
        return self.wait_s + self.work_s


@dataclass(frozen=True)
class Ruler:
    end_s: float
    ticks: tuple[Tick, ...]
    target_at: float | None
    note: str = ""

    def place(self, seconds: float) -> float:
        return round(100 * min(max(seconds, 0), self.end_s) / self.end_s, 2)


def ruler_for(length_s: float, target_s: float, also_s: Sequence[float] = ()) -> Ruler:
    """From 0 to a round number beyond the target; a lap under 5 % of the target gets a ruler of its own and says so."""
    own = 0 < length_s < OWN_SCALE * target_s
    span = length_s if own else max(length_s, target_s)
    span = max([span, *(s for s in also_s if s <= STRETCH * span)], default=1.0) or 1.0
    step = next((s for s in STEPS_S if span * 1.02 / s <= MOST_STEPS), STEPS_S[-1])
    end = step * ceil(span * 1.02 / step)
    shows_target = target_s <= end
    note = (
        ""
        if shows_target
        else (
            gettext(
                "This ruler ends at {end}. The {target} target lies far beyond it: the lap took {share} of it."
            ).format(end=duration(end), target=hours(target_s), share=_share(length_s / target_s))
        )
    )
    target_at = round(100 * target_s / end, 2) if shows_target else None
    return Ruler(end, _ticks(end, step, target_at, target_s), target_at, note)


def pieces_of(parts: Sequence[Part], ruler: Ruler, from_s: float = 0.0) -> tuple[Piece, ...]:
    """Bars one after the other; what lies beyond the ruler is cut."""
    found, at = [], from_s
    for part in parts:
        for waiting, seconds in ((True, part.wait_s), (False, part.work_s)):
            x, end = ruler.place(at), ruler.place(at + seconds)
            if seconds > 0 and x < 100:
                found.append(Piece(part.stage, waiting, x, round(max(end - x, THINNEST), 2)))
            at += seconds
    return tuple(found)


def _ticks(end: float, step: float, target_at: float | None, target_s: float) -> tuple[Tick, ...]:
    unit, name = (HOUR, "h") if step >= HOUR else (60.0, "min") if step >= 60 else (1.0, "s")
    if end > 240 * HOUR:
        unit, name = 24 * HOUR, "d"
    ticks = []
    for i in range(round(end / step) + 1):
        place = round(100 * i * step / end, 2)
        near = target_at is not None and abs(place - target_at) < 7
        if not near:
            words = f"{i * step / unit:g}" + (f" {name}" if i == 0 else "")
            ticks.append(Tick(place, words, "start" if i == 0 else "end" if place > 97 else "middle"))
    if target_at is not None:
        ticks.append(Tick(target_at, hours(target_s), "end" if target_at > 95 else "middle", is_target=True))
    return tuple(ticks)


def hours(seconds: float) -> str:
    """72 h, or the shorter words below an hour."""
    return f"{seconds / HOUR:g} h" if seconds >= HOUR else duration(seconds)


def _share(share: float) -> str:
    return percent(share, 1) if share >= 0.001 else gettext("less than 0.1 %")
