"""A template is laid out so that a person can review a change of it."""

from fastloop_console.machine.env import ROOT
from tests.architecture.words import TEMPLATES

LONGEST_LINE = 200  # characters


def test_no_line_of_a_template_is_longer_than_two_hundred_characters() -> None:
    assert len(TEMPLATES) > 100, "the walk does not see the templates"
    long = [
        f"{path.relative_to(ROOT)}:{at}: {len(line)}"
        for path in TEMPLATES
        for at, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []
