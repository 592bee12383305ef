"""Streams in time order as days: what was asked, at which moment, and what was true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tests.bench._prequential import LEFT_OUT
from tests.bench._sets import SETS as SETS

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class StreamRow:
    name: str
    at: datetime
    values: dict[str, Any]
    label: str


@dataclass(frozen=True)
class DailyStream:
    """`first` are the rows that the first model learns from. The others come in `days`: each has its midnight and its rows."""

    name: str
    labels: Sequence[str]
    first: Sequence[StreamRow]
    days: Sequence[tuple[datetime, Sequence[StreamRow]]]

    @cached_property
    def n(self) -> int:
        return sum(len(rows) for _, rows in self.days)

    @cached_property
    def months(self) -> Sequence[datetime]:
        """The midnights on which a month of 30 days has passed."""
        return [midnight for number, (midnight, _) in enumerate(self.days) if number and number % 30 == 0]

    @cached_property
    def day_of(self) -> Any:
        """(n,), the number of each row's day."""
        return np.repeat(np.arange(len(self.days)), [len(rows) for _, rows in self.days])


def daily(name: str, most: int = 0) -> DailyStream:
    """At most `most` days, 0 for all. Moments are moved by whole weeks, so that the stream ends in the days before today."""
    table = pq.read_table(SETS / f"{name}.parquet")
    values = table.select([c for c in table.column_names if c not in LEFT_OUT[name]]).to_pylist()
    labels, split = table["label"].to_pylist(), table["split"].to_pylist()
    moments = _moments(name, table)
    moved = (datetime.now(UTC) - DAY - moments[-1]) // WEEK * WEEK
    rows = [StreamRow(f"r{n}", moments[n] + moved, _plain(values[n]), labels[n]) for n in range(len(labels))]
    first = split.index("test")
    by_day: dict[date, list[StreamRow]] = {}
    for row in rows[first:]:
        by_day.setdefault(row.at.date(), []).append(row)
    begin, end = min(by_day), max(by_day)
    all_days = [begin + DAY * n for n in range((end - begin).days + 1)]
    days = [(datetime(d.year, d.month, d.day, tzinfo=UTC), by_day.get(d, [])) for d in all_days]
    return DailyStream(name, sorted(set(labels)), rows[:first], days[:most] if most else days)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _moments(name: str, table: Any) -> list[datetime]:
    """elec2 has its half hours; bank_marketing knows the month alone, so its rows are spread over that month evenly."""
    if name == "elec2":
        return [_utc(moment) for moment in table["timestamp"].to_pylist()]
    months = table["year_month"].to_pylist()
    counts: dict[str, int] = {}
    for month in months:
        counts[month] = counts.get(month, 0) + 1
    seen: dict[str, int] = {}
    found = []
    for month in months:
        begin = datetime.strptime(str(month)[:7], "%Y-%m").replace(tzinfo=UTC)
        following = (begin + timedelta(days=32)).replace(day=1)
        found.append(begin + (following - begin) * (seen.get(month, 0) / counts[month]))
        seen[month] = seen.get(month, 0) + 1
    return found


def _utc(moment: Any) -> datetime:
    read = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return read if read.tzinfo else read.replace(tzinfo=UTC)
