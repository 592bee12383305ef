"""Lines of CSV that a spreadsheet only shows: what it would run as a formula stands behind an apostrophe."""

import csv
import io
from collections.abc import Iterable
from typing import Any

RISKY = ("=", "+", "-", "@", "\t", "\r")  # what a formula begins with, and what some programs pass over before one


def shown_only(cell: Any) -> Any:
    """Numbers stay numbers; only text can be a formula.

    >>> shown_only("=1+1"), shown_only(-3), shown_only("ham")
    ("'=1+1", -3, 'ham')
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def csv_line(cells: Iterable[Any]) -> str:
    """One line with its end."""
    line = io.StringIO()
    csv.writer(line).writerow([shown_only(cell) for cell in cells])
    return line.getvalue()
