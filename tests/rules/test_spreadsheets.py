"""No cell of ours is run by a spreadsheet."""

import csv

import pytest

from apps.rules.spreadsheets import csv_line


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    ((read, number),) = csv.reader([csv_line([text, -3])], lineterminator="\r\n")
    assert (read[0], number) == ("'", "-3")


def test_other_text_stays_as_it_is() -> None:
    assert csv_line(["it's 1-1", "", None, 2.5]) == "it's 1-1,,,2.5\r\n"
