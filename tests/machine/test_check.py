"""What `make check` says at its end."""

from pathlib import Path

from tests.check import closing, counted

REPORT = (
    '<testsuites><testsuite name="pytest" errors="{errors}" failures="{failures}" skipped="{skipped}" tests="{tests}">'
    "</testsuite></testsuites>"
)


def test_the_last_line_sums_all_parts_as_pytest_would_say_it(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(REPORT.format(errors=0, failures=2, skipped=3, tests=80))
    (tmp_path / "b.xml").write_text(REPORT.format(errors=1, failures=0, skipped=0, tests=101))
    counts = counted([tmp_path / "a.xml", tmp_path / "b.xml"])
    assert closing(counts, 583.2) == "2 failed, 175 passed, 3 skipped, 1 errors in 583.20s (0:09:43)"


def test_a_part_that_ended_without_a_report_is_an_error(tmp_path: Path) -> None:
    counts = counted([tmp_path / "none.xml"])
    assert closing(counts, 3.0) == "1 errors in 3.00s (0:00:03)"
