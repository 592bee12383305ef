"""One bar alone is given hours around it."""

from datetime import timedelta

from apps.quality.charts import LEAST_BARS, over_time
from apps.quality.times import OverTime
from tests.conftest import NOON


def test_a_single_hour_stands_at_the_end_of_half_a_day_and_many_fill_their_own_axis():
    few = over_time(OverTime("hour", (NOON,), (7,)))["layout"]["xaxis"]
    assert few["range"] == [(NOON - timedelta(hours=LEAST_BARS)).isoformat(), (NOON + timedelta(hours=1)).isoformat()]
    many = tuple(NOON + timedelta(hours=i) for i in range(LEAST_BARS))
    assert "range" not in over_time(OverTime("hour", many, (1,) * LEAST_BARS))["layout"]["xaxis"]
