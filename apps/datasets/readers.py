"""Turn an uploaded file into rows. A row that cannot be read is reported and passed over; a hopeless file stops."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")
SUFFIXES = (*TABLES, ".json", ".conll", ".bio", ".zip")  # the rest is read by apps.transfer: it carries answers
WORDS = "CSV, JSONL, Parquet, Label Studio JSON, CoNLL or COCO"
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a base64 image is one long field


class FileUnreadable(ValueError):
    """Nothing of the file can be taken; the message is shown to whoever uploaded it."""


@dataclass(frozen=True)
class Row:
    """`number` counts data rows from 1. Either `values`, or `reason` and the raw text."""

    number: int
    values: dict[str, Any] | None
    reason: str = ""
    raw: str = ""


def suffix_of(filename: str, suffixes: Sequence[str] = SUFFIXES) -> str:
    """The known ending of a file name. Raises FileUnreadable with the list of endings that are read."""
    for suffix in suffixes:
        if filename.lower().endswith(suffix):
            return suffix
    endings = ", ".join(suffixes)
    raise FileUnreadable(f"“{filename}” is not a file we read. Send {WORDS} (ending {endings}).")


def rows_of(file: BinaryIO, filename: str) -> Iterator[Row]:
    """Of a table. Raises FileUnreadable for what is none."""
    suffix = suffix_of(filename)
    if suffix not in TABLES:
        raise FileUnreadable(f"“{filename}” is no table. Send CSV, JSONL or Parquet (ending {', '.join(TABLES)}).")
    return {".csv": csv_rows, ".jsonl": jsonl_rows, ".ndjson": jsonl_rows, ".parquet": parquet_rows}[suffix](file)


def rows_expected(file: BinaryIO, filename: str) -> int | None:
    """The number of rows where the format says it up front, for the progress bar."""
    if not filename.lower().endswith(".parquet"):
        return None
    try:
        return int(pq.ParquetFile(file).metadata.num_rows)
    except (pa.ArrowException, OSError):
        return None


def csv_rows(file: BinaryIO) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
    reader = csv.DictReader(text, restkey="\x00extra", strict=True)
    number = 0
    try:
        header = reader.fieldnames
        if not header:
            raise FileUnreadable("The file is empty.")
        if len(set(header)) < len(header):
            raise FileUnreadable("A column name stands twice in the header line.")
        for number, values in enumerate(reader, start=1):
            if "\x00extra" in values:
                extra = values.pop("\x00extra")
                reason = f"The row has {len(header) + len(extra)} fields, the header {len(header)}."
                yield Row(number, None, reason, str(values)[:2000])
            else:
                yield Row(number, {k: v if v != "" else None for k, v in values.items()})
    except UnicodeDecodeError:
        if number == 0:
            raise FileUnreadable("The file is not UTF-8 text. Save it as CSV in UTF-8 and send it again.") from None
        yield Row(number + 1, None, "From here on the file is not UTF-8 text; the rest was not read.")
    except csv.Error as cause:
        yield Row(number + 1, None, f"The CSV breaks off here: {cause}. The rest was not read.")


def jsonl_rows(file: BinaryIO) -> Iterator[Row]:
    number = 0
    for number, line in enumerate(file, start=1):
        if number == 1:
            line = _without_mark(line)
        if not line.strip():
            continue
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as cause:
            yield Row(number, None, f"The line is not JSON: {cause}."[:300], line[:2000].decode("utf-8", "replace"))
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield Row(number, None, "The line is JSON but not an object.", line[:2000].decode("utf-8", "replace"))
    if number == 0:
        raise FileUnreadable("The file is empty.")


def _without_mark(line: bytes) -> bytes:
    """Raises FileUnreadable for UTF-16, of which every line would be refused one by one."""
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnreadable("The file is UTF-16. Save it as UTF-8 and send it again.")
    return line.removeprefix(b"\xef\xbb\xbf")


def parquet_rows(file: BinaryIO) -> Iterator[Row]:
    number = 0
    try:
        table = pq.ParquetFile(file)
        for batch in table.iter_batches(batch_size=1000):
            for values in batch.to_pylist():
                number += 1
                yield Row(number, values)
    except (pa.ArrowException, OSError, ValueError) as cause:
        if number == 0:
            raise FileUnreadable("The Parquet file is broken: its footer or pages cannot be read.") from cause
        yield Row(number + 1, None, f"The Parquet file breaks off here: {cause}. The rest was not read."[:300])
