"""What the circle is worth: streams in time order, answered by a model that stays, that is retrained blindly, and that alarms mend.

`auto` goes by itself: its monitors read each week, an alarm makes a lane, scripted people label it, a run, its gates, a release.
The code is the product's, on a database of its own; the clock is moved a day at a time and jobs run where they are sent. Nobody
tells it how often it was wrong: each label that it uses is one that people gave in a lane.

The rivals have as many labels. `monthly` has them a month, drawn by chance from what was asked in the month before, and trains on
all there are, without gates; once in full and once incrementally. `frozen` has none.

`area` is the area under the prequential accuracy curve, the share of right answers among the newest thousand, over the stream.
"""

import argparse
from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np
from django.core.management.base import CommandError

from tests.bench._home import inside_of, is_inside

Say = Callable[[str], None]
STREAMS = ("bank_marketing", "elec2")
DRAWS = 1000
SPAN = 1000  # answers that a point of the curve counts
BLOCK = 7  # days that are drawn together for intervals: neighbours resemble each other


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stream", action="append", choices=STREAMS, help="only this one; may be given again")
    parser.add_argument("--days", type=int, default=0, help="only so many days of the stream; 0 for all of them")


def run(*, say: Say, stream: list[str] | None = None, days: int = 0) -> dict[str, Any]:
    if days < 0:
        raise CommandError("--days is 0 or more.")
    if not is_inside():
        given = [word for each in stream or [] for word in ("--stream", each)]
        return inside_of("mending", *given, "--days", days)
    from django.core.management import call_command

    from tests.bench._streams import SETS, daily

    call_command("migrate", verbosity=0)
    found: dict[str, Any] = {}
    for name in stream or STREAMS:
        if (SETS / f"{name}.parquet").exists():
            found[name] = compared(daily(name, days), say)
        else:
            say(f"{name}: skipped, the file is not there")
    return found


def compared(stream: Any, say: Say) -> dict[str, Any]:
    from tests.bench._circle import Auto, Circle, Frozen, Monthly

    say(f"{stream.name}: {len(stream.first):,} rows first, then {stream.n:,} in {len(stream.days):,} days")
    say(f"  {'':<22}{'area':>8}{'auto is better by, 95 %':>28}{'labels':>9}{'alarms':>9}{'runs':>7}{'releases':>10}")
    auto = Circle(stream, Auto()).played(say)
    share = ceil(auto.labels / max(len(stream.months), 1))
    table = {}
    for arm in (None, Frozen(), Monthly("full", share), Monthly("incremental", share)):
        each = auto if arm is None else Circle(stream, arm).played(say)
        low, high = (0.0, 0.0) if each is auto else interval(stream.day_of, auto.right, each.right)
        table[each.name] = {
            "area": round(area(each.right), 4),
            "auto_better_by": [round(low, 4), round(high, 4)],
            "labels": each.labels,
            "alarms": each.alarms,
            "runs": each.runs,
            "releases": each.releases,
        }
        gap = "" if each is auto else f"{100 * low:+.1f} to {100 * high:+.1f} points"
        say(
            f"  {each.name:<22}{area(each.right):8.4f}{gap:>28}{each.labels:9,}{each.alarms:9}{each.runs:7}{each.releases:10}"
        )
    return table


def area(right: Any) -> float:
    """`right` (n,) of 0 and 1 in time order. The mean height of the curve, which begins with what little there is."""
    total = np.concatenate([[0], np.cumsum(right)])
    ends = np.arange(1, len(total))
    begins = np.maximum(ends - SPAN, 0)
    return float(((total[ends] - total[begins]) / (ends - begins)).mean())


def interval(day_of: Any, ours: Any, theirs: Any) -> tuple[float, float]:
    """95 % of the difference of the shares of right answers, weeks drawn anew. `day_of` (n,)."""
    weeks = np.asarray(day_of) // BLOCK
    gains = np.bincount(weeks, np.asarray(ours, float) - np.asarray(theirs, float))
    sizes = np.bincount(weeks)
    gains, sizes = gains[sizes > 0], sizes[sizes > 0]
    drawn = np.random.default_rng(0).integers(0, len(sizes), (DRAWS, len(sizes)))
    low, high = np.percentile(gains[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)
