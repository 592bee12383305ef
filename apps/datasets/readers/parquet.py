"""Parquet row by row. What no calendar and no text can hold refuses its row; what unpacks without end is cut off."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from apps.datasets.readers.row import FileUnreadable, Row, raw_of
from apps.projects.task_types import RESERVED
from apps.rules.sentences import sentence, words_of
from apps.rules.values import ValueRefused, header_of, shown

ROWS_AT_ONCE = 500
MOST_RATIO = 100  # unpacked to packed, as for a ZIP
RATIO_FROM = 100_000_000  # bytes unpacked, from which on that is looked at
BROKEN = sentence("The Parquet file is broken: its footer or pages cannot be read.")


def rows_in(file: BinaryIO) -> int | None:
    try:
        return int(pq.ParquetFile(file).metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError):
        return None


def parquet_rows(file: BinaryIO) -> Iterator[Row]:
    """Raises FileUnreadable for what is no Parquet, and for two columns of one name."""
    number, unpacked, packed = 0, 0, file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        table = pq.ParquetFile(file)
        _names_checked(table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
            unpacked += batch.nbytes
            if unpacked > max(RATIO_FROM, MOST_RATIO * packed):
                number += 1
                yield Row(
                    number,
                    None,
                    sentence("The file unpacks to more than {mb:,.0f} MB. The rest was not read.", mb=unpacked / 1e6),
                )
                return
            for row in _rows(batch, number):
                number = row.number
                yield row
    except (pa.ArrowException, OSError, ValueError) as cause:
        if isinstance(cause, FileUnreadable):
            raise
        if number == 0:
            raise FileUnreadable(BROKEN) from cause
        yield Row(
            number + 1,
            None,
            sentence("The Parquet file breaks off here: {fault}. The rest was not read.", fault=shown(cause, 200)),
        )


def _names_checked(names: Sequence[str]) -> None:
    try:
        header_of(names, RESERVED)
    except ValueRefused as cause:
        raise FileUnreadable(words_of(cause)) from cause


def _rows(batch: Any, before: int) -> Iterator[Row]:
    """All at once, which is fast; where that fails value by value, so that only the rows with a fault are refused."""
    names, columns = batch.schema.names, [_exact(column) for column in batch.columns]
    try:
        lists = [column.to_pylist() for column in columns]
    except Exception:  # whatever a value cannot be: a date past the year 9999, a zone that nobody knows
        for place in range(batch.num_rows):
            yield _row(before + place + 1, names, columns, place)
        return
    for place, cells in enumerate(zip(*lists, strict=True), start=before + 1):
        yield Row(place, dict(zip(names, cells, strict=True)))


def _exact(column: Any) -> Any:
    """Nanoseconds are cut to microseconds: Python's moments have no finer ones."""
    kind = column.type
    if getattr(kind, "unit", "") != "ns":
        return column
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_duration(kind):
        return column.cast(pa.duration("us"), safe=False)
    return column.cast(pa.time64("us"), safe=False)


def _row(number: int, names: Sequence[str], columns: Sequence[Any], place: int) -> Row:
    values: dict[str, Any] = {}
    fault = ""
    for name, column in zip(names, columns, strict=True):
        try:
            values[name] = column[place].as_py()
        except Exception:
            fault = fault or sentence(
                "“{name}” holds a value of the type {type} that nothing here can keep.",
                name=shown(name),
                type=column.type,
            )
    return Row(number, None, fault, raw_of(values)) if fault else Row(number, values)
