"""What comes in is like what the model learned from: types, ranges, categories and empty values, checked by pandera."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from pydantic import Field

from apps.rules.column_fields import least_rows_field, most_categories_field, slack_field
from apps.rules.gates.gate import Evidence, Gate, GateOutcome, GateParameters, Judgment
from apps.rules.gates.rows import GateReads
from apps.rules.sentences import joined, sentence, term
from apps.rules.words import count, percent

FAULTS = {
    "absent": term("is not there"),
    "type": term("has another type"),
    "range": term("is out of the range"),
    "category": term("has a value that was never seen"),
    "length": term("is longer or shorter than any"),
    "empty": term("is empty"),
}
SAID = 3  # faults in the sentence; the page has all


class DataSchemaParameters(GateParameters):
    allowed_share: float = Field(
        0.01,
        ge=0,
        le=1,
        title="Allowed share of rows",
        description="That may break each rule: 0.01 is one in a hundred.",
    )
    slack: float = slack_field()
    most_categories: int = most_categories_field("A column of words with more values is checked by length alone.")
    least_rows: int = least_rows_field(30, "That came in, below which it cannot tell.")


@dataclass(frozen=True, slots=True)
class LearnedColumn:
    """What one column was when the model learned: numbers with a range, or words with their values or lengths."""

    numeric: bool
    low: float = 0.0
    high: float = 0.0
    values: frozenset[str] | None = None
    empty: bool = False  # whether any was


@dataclass(frozen=True, slots=True)
class SchemaFault:
    column: str
    fault: str  # a key of FAULTS
    rows: int
    share: float
    seen: str  # one value that broke the rule


def learned_column(values: Sequence[Any], most_categories: int) -> LearnedColumn | None:
    """None where nothing was ever there."""
    filled = [v for v in values if not _is_empty(v)]
    if not filled:
        return None
    empty = len(filled) < len(values)
    if all(_is_number(v) for v in filled):
        return LearnedColumn(True, float(min(filled)), float(max(filled)), None, empty)
    lengths = [len(str(v)) for v in filled]
    distinct = {str(v) for v in filled}
    return LearnedColumn(
        False, min(lengths), max(lengths), frozenset(distinct) if len(distinct) <= most_categories else None, empty
    )


def faults_of(
    learned: Mapping[str, Sequence[Any]], incoming: Mapping[str, Sequence[Any]], parameters: DataSchemaParameters
) -> list[SchemaFault]:
    """Each rule that some row breaks, the most broken first. A column that is new is none: the model does not read it."""
    from pandas import DataFrame
    from pandera.errors import SchemaErrors
    from pandera.pandas import Check, Column, DataFrameSchema

    n = max((len(values) for values in incoming.values()), default=0)
    columns, frame, found = dict[str, Any](), dict[str, list[Any]](), list[SchemaFault]()
    for name, values in learned.items():
        known = learned_column(values, parameters.most_categories)
        if known is None:
            continue
        if name not in incoming or all(_is_empty(v) for v in incoming[name]):
            found.append(SchemaFault(name, "absent", n, 1.0, ""))
            continue
        frame[name] = [None if _is_empty(v) else v for v in incoming[name]]
        columns[name] = Column(
            object,
            [Check(rule, element_wise=True, name=fault) for fault, rule in _rules(known, parameters)],
            nullable=known.empty,
        )
    if not frame:
        return found
    try:
        DataFrameSchema(columns).validate(DataFrame(frame, dtype=object), lazy=True)
    except SchemaErrors as broken:
        cases = broken.failure_cases
        for (column, check), rows in cases.groupby(["column", "check"], sort=False):
            fault = check if check in FAULTS else "empty"
            seen = str(rows["failure_case"].iloc[0])[:80]
            found.append(SchemaFault(str(column), fault, len(rows), len(rows) / n, "" if fault == "empty" else seen))
    return sorted(found, key=lambda each: -each.share)


def _rules(known: LearnedColumn, parameters: DataSchemaParameters) -> list[tuple[str, Any]]:
    """What each value must be; of another type it breaks that rule alone."""
    if known.numeric:
        room = parameters.slack * (known.high - known.low)
        low, high = known.low - room, known.high + room
        return [("type", _is_number), ("range", lambda v: not _is_number(v) or low <= v <= high)]
    kind = ("type", lambda v: isinstance(v, str | bool))
    if known.values is not None:
        values = known.values
        return [kind, ("category", lambda v: not isinstance(v, str | bool) or str(v) in values)]
    room = parameters.slack * (known.high - known.low)
    short, long = known.low - room, known.high + room
    return [kind, ("length", lambda v: not isinstance(v, str) or short <= len(v) <= long)]


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and not isfinite(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _judge(evidence: Evidence, parameters: DataSchemaParameters) -> Judgment:
    values = evidence.values
    if values is None or not values.learned:
        return Judgment(GateOutcome.PASS, sentence("Its examples have no columns to compare."))
    n = max((len(column) for column in values.incoming.values()), default=0)
    if n < parameters.least_rows:
        words = sentence(
            "Only {rows} came in lately; {least} are asked.", rows=count(n, "row"), least=parameters.least_rows
        )
        return Judgment(GateOutcome.INCONCLUSIVE, words)
    found = faults_of(values.learned, values.incoming, parameters)
    details = {"rows": n, "faults": [{**asdict(f), "words": str(FAULTS[f.fault])} for f in found]}
    broken = [each for each in found if each.share > parameters.allowed_share]
    if broken:
        said = [
            sentence(
                "“{column}” {fault} in {share} of the newest {n:,} rows.",
                column=each.column,
                fault=FAULTS[each.fault],
                share=percent(each.share, 1),
                n=n,
            )
            for each in broken[:SAID]
        ]
        more = [sentence("And {faults}.", faults=count(len(broken) - SAID, "more fault"))] if len(broken) > SAID else []
        return Judgment(GateOutcome.FAIL, joined([*said, *more]), details=details)
    words = sentence(
        "The newest {n:,} rows are like what it learned from, in {columns}.",
        n=n,
        columns=count(len(values.learned), "column"),
    )
    return Judgment(GateOutcome.PASS, words, details=details)


DATA_SCHEMA = Gate(
    "data-schema",
    "What comes in is like what it learned from",
    _judge,
    parameters=DataSchemaParameters,
    standing=False,
    reads=lambda _: GateReads(values=True),
)
