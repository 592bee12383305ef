"""CSV as spreadsheets of all countries write it: fields apart by commas, semicolons, tabs or bars, a `sep=` line or none.

A record that is no CSV is refused alone: reading goes on at the line after the one where it began.
"""

import csv
import io
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from apps.datasets.readers.row import MOST_RAW, FileUnreadable, Row, utf8_checked
from apps.projects.task_types import RESERVED
from apps.rules.sentences import sentence, term, words_of
from apps.rules.values import ValueRefused, header_of
from apps.rules.values.characters import HALF

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a base64 image is one long field
DELIMITERS = ",;\t|"
MOST_RECORD = 64_000_000  # characters of one record over several lines; a longer one is a quote that nobody closed
_KNOWN = RESERVED | {"text", "image", "prompt", "a", "b"}
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_NOT_CLOSED = term("a quote is opened and never closed")
_WORDS = {
    "unexpected end of data": _NOT_CLOSED,
    "expected after": term("a quote stands inside a quoted cell; write it twice"),
}


class _RecordLines:
    """The lines of a text, and those of the record that is being read, so that a broken one can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._again = lines, deque[str]()
        self.record: list[str] = []
        self.read, self._size = 0, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.read += 1
        self.record.append(line)
        self._size += len(line)
        if len(self.record) > 1 and self._size > MOST_RECORD:
            raise csv.Error(_NOT_CLOSED)
        return line

    def begin(self) -> int:
        """A record begins: its line in the file."""
        self.record, self._size = [], 0
        return self.read + 1

    def give_back(self, kept: int) -> None:
        """All lines of the record after the first `kept`."""
        self.read -= len(self.record) - kept
        self._again.extendleft(reversed(self.record[kept:]))


def csv_rows(file: BinaryIO) -> Iterator[Row]:
    utf8_checked(file)
    lines = _RecordLines(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    delimiter = _delimiter(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header, number = _header(reader, lines), 0
    while True:
        line = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as cause:
            number += 1
            reason = sentence(
                "The CSV breaks off in line {line:,}: {fault}. Reading went on with the next line.",
                line=line,
                fault=_words(cause),
            )
            yield _refused(number, reason, lines)
            lines.give_back(1)
            continue
        if not cells:
            continue  # an empty line
        number += 1
        if _not_utf8(lines):
            if number == 1:
                raise FileUnreadable(sentence("The file is not UTF-8 text. Save it as CSV in UTF-8 and send it again."))
            yield _refused(number, sentence("Line {line:,} of the file is not UTF-8 text.", line=line), lines)
        elif len(cells) != len(header):
            yield _refused(
                number,
                sentence("The row has {cells} fields, the header {names}.", cells=len(cells), names=len(header)),
                lines,
            )
        else:
            yield Row(number, {name: cell if cell != "" else None for name, cell in zip(header, cells, strict=True)})


def _delimiter(lines: _RecordLines) -> str:
    """As a `sep=` line says it, which is then read; else what makes the most known names of the first line."""
    lines.begin()
    first = next(lines, "")
    said = _SEPARATOR.fullmatch(first.rstrip("\r\n").rstrip(DELIMITERS) or first)
    said = said or _SEPARATOR.fullmatch(first.rstrip("\r\n"))
    if said:
        return said[1]
    lines.give_back(0)
    return max(DELIMITERS, key=lambda each: _likely(first, each))


def _likely(line: str, delimiter: str) -> tuple[int, int]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        names = header_of(cells, RESERVED).names
    except (csv.Error, ValueRefused):
        return 0, line.count(delimiter)
    known = sum(name in _KNOWN or name.startswith(("answer.", "prediction.", "gold.")) for name in names if name)
    return known, len(cells)


def _header(reader: Iterator[list[str]], lines: _RecordLines) -> Sequence[str]:
    """Raises FileUnreadable for one that is none, and for two columns of one name."""
    try:
        names = next((cells for cells in reader if cells), [])
    except csv.Error as cause:
        raise FileUnreadable(sentence("The header line is no CSV: {words}.", words=_words(cause))) from cause
    if not any(name.strip() for name in names):
        raise FileUnreadable(sentence("The file has no header line with the names of its columns."))
    if _not_utf8(lines):
        raise FileUnreadable(sentence("The file is not UTF-8 text. Save it as CSV in UTF-8 and send it again."))
    try:
        header_of(names, RESERVED)
    except ValueRefused as cause:
        raise FileUnreadable(words_of(cause)) from cause
    return names


def _not_utf8(lines: _RecordLines) -> bool:
    return any(not line.isascii() and HALF.search(line) for line in lines.record)


def _words(cause: csv.Error) -> str:
    return next((words for part, words in _WORDS.items() if part in str(cause)), str(cause))


def _refused(number: int, reason: str, lines: _RecordLines) -> Row:
    raw = lines.record[0] if lines.record else ""
    return Row(number, None, reason, raw[:MOST_RAW].rstrip("\r\n").encode("utf-8", "replace").decode())
