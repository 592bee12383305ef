"""The ruler: round ends, the target where it belongs, a scale of its own for laps of seconds."""

from datetime import timedelta

import pytest

from apps.loop.clockface import parts_until
from apps.loop.ruler import HOUR, Part, pieces_of, ruler_for
from tests.conftest import NOON


def test_the_ruler_of_a_usual_lap_is_that_of_the_target() -> None:
    ruler = ruler_for(61.3 * HOUR, 72 * HOUR)
    assert ruler.end_s == 84 * HOUR
    assert [t.words for t in ruler.ticks] == ["0 h", "12", "24", "36", "48", "60", "84", "72 h"]
    assert ruler.target_at == pytest.approx(85.71)
    assert ruler.note == ""


def test_a_lap_of_forty_seconds_gets_a_ruler_of_its_own_and_says_so() -> None:
    ruler = ruler_for(40.0, 72 * HOUR)
    assert (ruler.end_s, ruler.target_at) == (50.0, None)
    assert ruler.place(40.0) == 80.0
    assert (
        ruler.note == "This ruler ends at 50 s. The 72 h target lies far beyond it: the lap took less than 0.1 % of it."
    )


@pytest.mark.parametrize("length", [0.3, 5, 41, 400, 3000, 9000, 60 * HOUR, 118 * HOUR, 2000 * HOUR, 30_000 * HOUR])
def test_every_length_fits_with_few_ticks(length: float) -> None:
    ruler = ruler_for(length, 72 * HOUR)
    assert ruler.place(length) < 100
    assert len(ruler.ticks) <= 10
    assert all(0 <= t.at <= 100 for t in ruler.ticks)


def test_no_lap_at_all_still_has_a_ruler() -> None:
    assert ruler_for(0.0, 72 * HOUR).end_s == 84 * HOUR


def test_an_open_lap_far_longer_than_the_ruler_is_cut_instead_of_squeezing_it() -> None:
    ruler = ruler_for(40.0, 72 * HOUR, [9000.0])
    assert ruler.end_s == 50.0
    pieces = pieces_of([Part("annotate", 9000.0, 100.0)], ruler)
    assert [(p.x, p.width) for p in pieces] == [(0.0, 100.0)]


def test_pieces_stand_end_to_end() -> None:
    ruler = ruler_for(60 * HOUR, 72 * HOUR)
    pieces = pieces_of([Part("collect", HOUR, HOUR), Part("annotate", 10 * HOUR, 0.0)], ruler)
    assert [p.waiting for p in pieces] == [True, False, True]
    assert pieces[1].x == pytest.approx(pieces[0].x + pieces[0].width, abs=0.02)


def test_parts_add_up_to_the_age_whatever_the_clocks_said() -> None:
    moments = [NOON, NOON - timedelta(hours=1), NOON + timedelta(hours=1), None, NOON]  # the second clock went wrong
    parts = parts_until(NOON + timedelta(hours=3), moments)
    assert sum(p.total_s for p in parts) == 3 * HOUR
    assert [(p.stage, p.wait_s, p.work_s) for p in parts] == [("collect", 0.0, HOUR), ("annotate", 2 * HOUR, 0.0)]
