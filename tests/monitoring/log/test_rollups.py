"""Minutes and hours say exactly what the log says, whoever writes in whatever order, and pages read them alone."""

import math
import random
import statistics
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.monitoring.feedback.selectors import board_of, means_of
from apps.monitoring.log.rollups import minutes_forget
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.monitoring.log.traffic import ArmVolume, answers_in, arms_answered, first_answer, traffic_of
from apps.monitoring.models import AnswerRollup, FeedbackSettings, LatencyRollup
from apps.monitoring.models.rollups import RollupWidth
from apps.monitoring.selectors import period_that_fits
from apps.pages.periods import Period, period_named
from apps.projects.models import Project
from apps.rules.latencies import BINS, bin_of, middle_of, quantile
from tests.conftest import NOON
from tests.monitoring.log.counting import assert_counted


def said(project: Project, at: datetime, label: str = "ham", **more: object) -> LoggedPrediction:
    given = {"model_number": 3, "confidence": 0.5, "latency_ms": 10.0, **more}
    return LoggedPrediction(project_id=project.pk, inference_id="q", at=at, label=label, **given)  # type: ignore[arg-type]


def drawn(draws: random.Random, project: Project) -> LoggedPrediction:
    """Out of order, of some days, some in the time to come."""
    return said(
        project,
        NOON + timedelta(seconds=draws.uniform(-3 * 86_400, 86_400)),
        draws.choice(("ham", "spam", "")),
        model_number=draws.randint(1, 2),
        confidence=draws.random(),
        latency_ms=draws.lognormvariate(2, 2),
        arm=draws.choice(("champion", "canary", "shadow")),
        failed=draws.random() < 0.1,
    )


def test_any_batches_are_counted_exactly(make_project: Callable[..., Project]) -> None:
    draws, projects = random.Random(5), (make_project(), make_project())
    for _ in range(12):
        predictions_record(rows=[drawn(draws, draws.choice(projects)) for _ in range(draws.randint(1, 60))])
        assert_counted()


def test_what_is_refused_is_not_counted(project: Project) -> None:
    rows = [said(project, NOON), said(project, NOON, "x" * 81), said(project, NOON, confidence=math.nan)]
    written = predictions_record(rows=[*rows, said(project, NOON, latency_ms=math.inf)])
    assert (written.kept, len(written.refused)) == (1, 3)
    assert_counted()


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_are_counted_exactly(project: Project) -> None:
    """In opposite orders, over the same minutes: neither waits for the other for ever, and no answer is counted twice."""
    draws = random.Random(7)
    batches = [[drawn(draws, project) for _ in range(40)] for _ in range(12)]
    faults = list[Exception]()

    def write(mine: list[list[LoggedPrediction]]) -> None:
        try:
            for rows in mine:
                predictions_record(rows=rows)
        except Exception as cause:
            faults.append(cause)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(half,)) for half in (batches, [b[::-1] for b in batches[::-1]])]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert faults == []
    assert_counted()


def test_a_latency_is_within_five_percent_of_its_bin() -> None:
    for k in range(2_000):
        latency_ms = 0.01 * 1.012**k
        if latency_ms < middle_of(BINS - 1):
            assert abs(middle_of(bin_of(latency_ms)) / latency_ms - 1) < 0.05, latency_ms
    assert [bin_of(x) for x in (-1.0, 0.0, 1e-9, 1e12)] == [0, 0, 0, BINS - 1]


def test_quantiles_of_the_histogram_are_within_five_percent() -> None:
    draws = random.Random(1)
    latencies = sorted(draws.lognormvariate(3, 1) for _ in range(5_001))
    histogram: dict[int, int] = {}
    for each in latencies:
        histogram[bin_of(each)] = histogram.get(bin_of(each), 0) + 1
    assert quantile(histogram, 0.5) == pytest.approx(statistics.median(latencies), rel=0.05)
    assert quantile(histogram, 0.95) == pytest.approx(latencies[4_750], rel=0.05)
    assert quantile({}, 0.5) is None


def test_the_same_bins_in_sql(db: None) -> None:
    """The migration counted what was logged before."""
    draws = random.Random(2)
    latencies = [draws.lognormvariate(0, 5) for _ in range(3_000)] + [0.0, 0.01, 1e9]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(floor(ln(greatest(x, 0.01) / 0.01) / ln(1.1::float8)), 199)::smallint "
            "FROM unnest(%s::float8[]) x",
            [latencies],
        )
        assert [n for (n,) in cursor.fetchall()] == [bin_of(x) for x in latencies]


def test_traffic_is_what_the_log_holds(project: Project) -> None:
    draws, now = random.Random(9), timezone.now().replace(second=0, microsecond=0)
    rows = [
        said(
            project,
            now - timedelta(seconds=draws.uniform(1, 82_800)),
            draws.choice("ab"),
            latency_ms=draws.uniform(1, 99),
        )
        for _ in range(500)
    ]
    predictions_record(rows=rows)
    found = traffic_of(project, period_named("24h", now))
    assert found.answers == 500
    for bucket in found.buckets:
        mine = [r for r in rows if bucket.at <= r.at < bucket.at + found.step]
        assert bucket.answers == len(mine)
        assert bucket.by_label == {x: n for x in "ab" if (n := sum(r.label == x for r in mine))}
        middle = sorted(r.latency_ms for r in mine)[(len(mine) + 1) // 2 - 1]
        assert bucket.median_ms == pytest.approx(middle, rel=0.05)
    assert found.median_ms == pytest.approx(sorted(r.latency_ms for r in rows)[249], rel=0.05)


def test_shadows_and_failures_are_nobodys_answers_and_can_be_asked_for(project: Project) -> None:
    now = timezone.now()
    predictions_record(
        rows=[
            said(project, now),
            said(project, now, arm="canary", model_number=4),
            said(project, now, arm="shadow", model_number=4),
            said(project, now, "", arm="canary", model_number=4, failed=True, confidence=0.0),
        ]
    )
    day = period_named("24h", now)
    usual = traffic_of(project, day)
    assert (usual.answers, usual.failures, usual.buckets[0].by_label) == (2, 1, {"ham": 2})
    assert traffic_of(project, day, arms=["shadow"]).answers == 1
    assert traffic_of(project, day, versions=[3]).answers == 1 and traffic_of(project, day, versions=[3]).failures == 0
    assert set(arms_answered(project, day)) == {
        ArmVolume("champion", 3, 1, 0),
        ArmVolume("canary", 4, 1, 1),
        ArmVolume("shadow", 4, 1, 0),
    }
    assert answers_in(project, day) == 2


def test_after_their_time_minutes_go_and_hours_tell_the_same(project: Project) -> None:
    now = timezone.now()
    day = Period("", now - timedelta(days=41), now - timedelta(days=39))
    predictions_record(rows=[said(project, now - timedelta(days=40), label) for label in ("ham", "ham", "spam")])
    before = traffic_of(project, day)
    minutes_forget(at=now)
    assert not AnswerRollup.objects.filter(width=RollupWidth.MINUTE).exists()
    assert not LatencyRollup.objects.filter(width=RollupWidth.MINUTE).exists()
    assert traffic_of(project, day) == before and before.answers == 3
    assert first_answer(project) is not None


def test_a_day_of_long_ago_is_shown_by_hours(project: Project) -> None:
    then = timezone.now() - timedelta(days=100)
    predictions_record(rows=[said(project, then)])
    found = traffic_of(project, Period("", then - timedelta(hours=12), then + timedelta(hours=12)))
    assert found.step == timedelta(hours=1) and found.answers == 1


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Europe/Madrid"])
def test_days_begin_by_the_readers_clock(project: Project, zone: str) -> None:
    now = timezone.now()
    midnight = (now - timedelta(days=3)).astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    predictions_record(rows=[said(project, midnight - timedelta(seconds=30)), said(project, midnight)])
    with timezone.override(ZoneInfo(zone)):
        found = traffic_of(project, period_named("7d", now))
    assert [b.answers for b in found.buckets] == [1, 1]
    assert found.buckets[1].at == midnight


def test_the_shortest_period_that_holds_all_is_found_by_the_minute(project: Project) -> None:
    now = timezone.now()
    predictions_record(rows=[said(project, now - timedelta(minutes=50))])
    assert period_that_fits(project, now) == "1h"
    predictions_record(rows=[said(project, now - timedelta(days=60))])
    assert period_that_fits(project, now) == "24h"


def test_pages_read_no_row_of_the_log(project: Project, mona: User, as_: Callable[[User], Client]) -> None:
    predictions_record(rows=[said(project, timezone.now())])
    browser = as_(mona)
    with CaptureQueriesContext(connection) as queries:
        for page in ("monitoring:monitor", "monitoring:numbers", "monitoring:figures", "loop:overview"):
            assert browser.get(reverse(page, args=[project.pk])).status_code == 200
        assert browser.get(reverse("portfolio:projects")).status_code == 200
        board_of(project, timezone.now(), period_named("7d", timezone.now()))
        settings = FeedbackSettings(project=project, zero_names=["click"])
        means_of(project, settings, "click", timezone.now(), period_named("7d", timezone.now()), buckets=True)
    read = [q["sql"] for q in queries if "monitoring_prediction" in q["sql"] or "monitoring_askedpayload" in q["sql"]]
    assert read == []
