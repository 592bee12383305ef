"""A template is laid out so that a person can review a change of it."""

import re

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


def test_figures_and_empty_states_are_written_by_their_tags() -> None:
    """Two differ: the refusal, whose kind is the error's, and the empty desk, which a script fills."""
    by_hand = re.compile(r'class="(?:stat|void)[ "]')
    found = [str(p.relative_to(ROOT / "templates")) for p in TEMPLATES if by_hand.search(p.read_text())]
    assert found == ["_refusal.html", "labeling/desk.html"]


def test_a_page_with_a_chart_brings_the_script_that_draws_it() -> None:
    pages = [p for p in TEMPLATES if '{% include "_chart.html"' in (text := p.read_text()) and "{% extends" in text]
    assert len(pages) > 5
    assert [p.relative_to(ROOT).as_posix() for p in pages if '{% include "_charts.html" %}' not in p.read_text()] == []
