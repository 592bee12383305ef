"""Turn an uploaded file into rows. A row that cannot be read is reported and passed over; a hopeless file stops."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from apps.datasets.readers.delimited import csv_rows
from apps.datasets.readers.lines import jsonl_rows
from apps.datasets.readers.parquet import parquet_rows, rows_in
from apps.datasets.readers.row import FileUnreadable, Row, raw_of, utf8_checked
from apps.rules.sentences import sentence, term

__all__ = [
    "SUFFIXES",
    "TABLES",
    "WORDS",
    "FileUnreadable",
    "Row",
    "csv_rows",
    "jsonl_rows",
    "parquet_rows",
    "raw_of",
    "rows_expected",
    "rows_of",
    "suffix_of",
    "utf8_checked",
]

TABLES = (".csv", ".jsonl", ".ndjson", ".parquet", ".tsv")
SUFFIXES = (*TABLES, ".json", ".conll", ".bio", ".zip")  # the rest is read by apps.transfer: it carries answers
WORDS = term("CSV, JSONL, Parquet, Label Studio JSON, CoNLL or COCO")


def suffix_of(filename: str, suffixes: Sequence[str] = SUFFIXES) -> str:
    """The known ending of a file name. Raises FileUnreadable with the list of endings that are read."""
    for suffix in suffixes:
        if filename.lower().endswith(suffix):
            return suffix
    endings = ", ".join(suffixes)
    raise FileUnreadable(
        sentence(
            "“{filename}” is not a file we read. Send {words} (ending {endings}).",
            filename=filename,
            words=WORDS,
            endings=endings,
        )
    )


def rows_of(file: BinaryIO, filename: str) -> Iterator[Row]:
    """Of a table. Raises FileUnreadable for what is none."""
    suffix = suffix_of(filename)
    if suffix not in TABLES:
        raise FileUnreadable(
            sentence(
                "“{filename}” is no table. Send CSV, JSONL or Parquet (ending {known}).",
                filename=filename,
                known=", ".join(TABLES),
            )
        )
    return {".parquet": parquet_rows, ".csv": csv_rows, ".tsv": csv_rows}.get(suffix, jsonl_rows)(file)


def rows_expected(file: BinaryIO, filename: str) -> int | None:
    """The number of rows where the format says it up front, for the progress bar."""
    return rows_in(file) if filename.lower().endswith(".parquet") else None
