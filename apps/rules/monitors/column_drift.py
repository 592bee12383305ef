"""Whether what is asked about is as what the model learned from, column by column."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from apps.rules.column_fields import MOST_COLUMNS, columns_field
from apps.rules.monitors.column_parts import (
    OF_ANY,
    OF_NUMBERS,
    ColumnParts,
    is_prose,
    lengths,
    number_of,
    parts_of,
    population,
)
from apps.rules.monitors.evidence import Floats, MonitorEvidence, MonitorNeed
from apps.rules.monitors.few import enough_rows
from apps.rules.monitors.monitor import CannotTell, Chance, DriftMonitor, FeatureMeasure, NothingToRead, RowsParameters
from apps.rules.monitors.nearest import by_column
from apps.rules.sentences import sentence
from apps.rules.words import percent

NUMBER_WORDS = {"ks": "Kolmogorov-Smirnov", "wasserstein": "Wasserstein, in standard deviations"}
ANY_WORDS = {"chi-square": "Chi-square", "psi": "Population stability index", "jensen-shannon": "Jensen-Shannon"}


class ColumnDriftParameters(RowsParameters):
    columns: tuple[str, ...] = columns_field()
    numbers: Literal["ks", "wasserstein", "psi", "jensen-shannon", "chi-square"] = Field(
        "ks", title="Distance of numbers", json_schema_extra={"words": {**NUMBER_WORDS, **ANY_WORDS}}
    )
    words: Literal["chi-square", "psi", "jensen-shannon"] = Field(
        "chi-square", title="Distance of words", json_schema_extra={"words": {**ANY_WORDS}}
    )
    least_distance: float = Field(
        0.0,
        ge=0,
        le=10,
        title="Least distance",
        description="What is nearer does not count, however many rows show it.",
    )


def columns_named(known: Mapping[str, Sequence[Any]], wanted: Sequence[str]) -> list[str]:
    """The wanted ones, else all. Raises NothingToRead where there is none, or a wanted one is not among them."""
    if not known:
        raise NothingToRead(sentence("The examples that the model learned from have no columns."))
    if gone := next((name for name in wanted if name not in known), ""):
        raise NothingToRead(sentence("The column “{name}” is not in what the model learned from.", name=gone))
    return list(wanted or list(known)[:MOST_COLUMNS])


def _measure(of: MonitorEvidence, parameters: ColumnDriftParameters, chance: Chance) -> list[FeatureMeasure]:
    if of.columns is None:
        raise NothingToRead(sentence("The log keeps nothing of what was asked; set it to under Feedback."))
    known = of.columns.reference
    names = columns_named(known, parameters.columns)
    enough_rows(of.columns.n_window, max(map(len, known.values())), parameters.least_rows)
    found = [each for name in names if (each := _column(of, name, parameters, chance)) is not None]
    if not found:
        least = parameters.least_rows
        raise CannotTell(sentence("No column is filled in {least} rows of the window and the reference.", least=least))
    return found


def _column(of: MonitorEvidence, name: str, parameters: ColumnDriftParameters, chance: Chance) -> FeatureMeasure | None:
    """None where the column, or what the window has of it, is empty: the monitor of quality tells of that."""
    assert of.columns is not None
    before, now = of.columns.reference[name], of.columns.window.get(name, ())
    if is_prose(before):
        name, before, now = sentence("length of {column}", column=name), lengths(before), lengths(now)
    parts = parts_of(before)
    if parts is None:
        return None
    left, right = parts.counts(before), parts.counts(now)
    n, m = int(left.sum()), int(right.sum())
    if min(n, m) < parameters.least_rows:
        return None
    distance = (OF_NUMBERS | OF_ANY)[parameters.numbers if parts.numeric else parameters.words]
    shares = population(left)
    redrawn = chance.rng.multinomial(n, shares, (chance.draws, 1)).astype(float)
    windows = chance.rng.multinomial(m, shares, (chance.draws, chance.windows)).astype(float)
    value = float(distance(left, right, parts))
    by_chance = np.asarray(distance(redrawn, windows, parts))
    if value < parameters.least_distance:
        value = 0.0
    shown = {"names": parts.names, "reference": (left / n).tolist(), "window": (right / m).tolist()}
    return FeatureMeasure(name, value, _moved(name, before, now, parts, left / n, right / m), by_chance, parts=shown)


def _moved(
    name: str, before: Sequence[Any], now: Sequence[Any], parts: ColumnParts, left: Floats, right: Floats
) -> str:
    if parts.numeric:
        middles = [float(np.median([v for v in map(number_of, values) if v is not None])) for values in (before, now)]
        return sentence(
            "“{name}”: half are above {now:.4g} ({before:.4g} before)", name=name, now=middles[1], before=middles[0]
        )
    moved = int(np.abs(right - left).argmax())
    return sentence(
        "“{name}”: “{value}” went from {before} to {now}",
        name=name,
        value=parts.names[moved],
        before=percent(left[moved]),
        now=percent(right[moved]),
    )


COLUMN_DRIFT = DriftMonitor(
    "column-drift",
    "Columns",
    _measure,
    parameters=ColumnDriftParameters,
    needs=frozenset({MonitorNeed.COLUMNS}),
    nearest=by_column,
)
