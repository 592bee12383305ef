"""Numbers in the reader's form."""

import pytest
from django.template import engines
from django.utils import translation

from apps.pages import numbers
from apps.pages.words import counted


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "1,234,567 0.5 85.0 % \N{MINUS SIGN}0.3 +1.0 6,500 labels"),
        (
            "es",
            "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567 0,5 85,0 % \N{MINUS SIGN}0,3 +1,0 6\N{NO-BREAK SPACE}500 etiquetas",
        ),
    ],
)
def test_a_number_is_written_as_its_reader_writes_it(language: str, words: str) -> None:
    with translation.override(language):
        said = [
            numbers.grouped(1_234_567),
            numbers.decimal(0.5, 1),
            numbers.percent(0.85, 1),
            numbers.signed(-0.31),
            numbers.points(0.01),
            counted(6500, "label"),
        ]
    assert " ".join(said) == words


def test_only_numbers_that_say_how_they_are_written_change_in_a_sentence() -> None:
    with translation.override("es"):
        said = numbers.fill(
            "{n:,} of {share:.1f} % in v1.2, {name} {year}", n=6500, share=85.0, name="a.b,c", year=2026
        )
    assert said == "6\N{NO-BREAK SPACE}500 of 85,0 % in v1.2, a.b,c 2026"


@pytest.mark.parametrize(
    ("written", "english", "spanish"),
    [
        ("{{ 6500|thousands }}", "6,500", "6\N{NO-BREAK SPACE}500"),
        ("{{ share|percent }}", "85.0 %", "85,0 %"),
        ("{{ share|rate }}", "85 %", "85 %"),
        ("{{ small|rate }}", "99.5 %", "99,5 %"),
        ("{{ small|points }}", "+99.5", "+99,5"),
        ("{{ 3.24|duration }}", "3.2 s", "3,2 s"),
        ("{{ share|signed }}", "+0.850", "+0,850"),
        ("{{ share|share }}", "85.00", "85.00"),  # for a drawing
    ],
)
def test_every_filter_of_numbers_reads_the_language(written: str, english: str, spanish: str) -> None:
    template = engines["django"].from_string(written)
    context = {"share": 0.85, "small": 0.995}
    assert template.render(context) == english
    with translation.override("es"):
        assert template.render(context) == spanish
