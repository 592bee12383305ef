"""Days of the log: made when rows come and ahead, filled from the default partition, dropped whole where nobody keeps them."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.monitoring.feedback.services import UNKNOWN_FOR, FeedbackStatus, feedback_join, feedback_take
from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.log import partitions
from apps.monitoring.log.partitions import days_kept, partitions_ahead, partitions_drop, partitions_ensure
from apps.monitoring.log.retention import log_forget
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_forget, predictions_record
from apps.monitoring.models import AskedPayload, Feedback, FeedbackLetter, Prediction
from apps.projects.models import Project
from tests.monitoring.log.counting import assert_counted

ANSWERS, ASKED = partitions.TABLES
DAY = timedelta(days=1)


def said(project: Project, at: datetime, name: str = "q", **more: object) -> LoggedPrediction:
    return LoggedPrediction(project.pk, name, at, 3, "ham", 0.9, 5.0, **more)  # type: ignore[arg-type]


def where(name: str) -> str:
    """The partition that holds the answer of this id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass FROM monitoring_prediction WHERE inference_id = %s", [name])
        ((found,),) = cursor.fetchall()
        return str(found)


def of_day(at: datetime) -> str:
    return f"{ANSWERS}_{at.astimezone(UTC):%Y%m%d}"


def now() -> datetime:
    return timezone.now().replace(hour=12)


def test_a_row_lies_in_the_partition_of_its_day(project: Project) -> None:
    at = now()
    rows = [said(project, at - n * DAY, f"q{n}", asked=AskedRow({"text": "a"})) for n in range(3)]
    predictions_record(rows=rows)
    assert [where(f"q{n}") for n in range(3)] == [of_day(at - n * DAY) for n in range(3)]
    assert {(at - n * DAY).date() for n in range(3)} <= set(days_kept(ASKED))


def test_a_day_is_one_of_utc(project: Project) -> None:
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    predictions_record(
        rows=[said(project, midnight, "after"), said(project, midnight - timedelta(microseconds=1), "before")]
    )
    assert (where("after"), where("before")) == (of_day(midnight), of_day(midnight - DAY))


@pytest.mark.parametrize("off", [timedelta(days=-5000), timedelta(days=30), timedelta(days=20_000)])
def test_a_clock_gone_wrong_makes_no_partition_and_loses_no_row(project: Project, off: timedelta) -> None:
    before = days_kept(ANSWERS)
    predictions_record(rows=[said(project, now() + off, "odd"), said(project, now(), "even")])
    assert where("odd") == f"{ANSWERS}_default" and len(days_kept(ANSWERS)) <= len(before) + 1
    assert_counted()


def test_what_lies_in_the_default_partition_moves_when_its_day_is_made(project: Project) -> None:
    at = now() - 9 * DAY
    Prediction.objects.create(
        project=project, inference_id="early", at=at, model_number=1, label="ham", confidence=0.9, latency_ms=1.0
    )
    assert where("early") == f"{ANSWERS}_default"
    predictions_record(rows=[said(project, at + timedelta(minutes=5), "late")])
    assert where("early") == where("late") == of_day(at)
    assert [p.inference_id for p in Prediction.objects.order_by("id")] == ["early", "late"]


def test_the_days_to_come_are_made_ahead(db: None) -> None:
    at = now()
    partitions_ahead(at=at)
    assert {(at + n * DAY).date() for n in range(4)} <= set(days_kept(ANSWERS)) & set(days_kept(ASKED))
    partitions_ahead(at=at)


def test_ids_are_given_once_over_all_days(project: Project) -> None:
    draws = random.Random(4)
    predictions_record(rows=[said(project, now() - draws.randint(0, 5) * DAY) for _ in range(200)])
    assert len(set(Prediction.objects.values_list("id", flat=True))) == 200


def test_days_are_dropped_as_a_whole_where_every_project_has_a_term(
    make_project: Callable[..., Project], mona: User
) -> None:
    one, two, at = make_project(), make_project(), now()
    for project, days in ((one, 5), (two, 10)):
        feedback_settings_set(project=project, by=mona, at=at, log_days=days, payload_days=4, payloads="all")
        rows = [said(project, at - n * DAY, f"{project.pk} {n}", asked=AskedRow({"text": "a"})) for n in range(13)]
        predictions_record(rows=rows)
    log_forget(at=at)
    left = set(Prediction.objects.values_list("inference_id", flat=True))
    assert left == {f"{one.pk} {n}" for n in range(6)} | {f"{two.pk} {n}" for n in range(11)}
    assert min(days_kept(ANSWERS)) == (at - 10 * DAY).date()
    assert AskedPayload.objects.count() == 10 and min(days_kept(ASKED)) == (at - 4 * DAY).date()
    assert Prediction.objects.filter(at__lt=at - 10 * DAY).count() == 0


def test_where_one_project_keeps_everything_no_day_with_its_rows_goes(
    make_project: Callable[..., Project], mona: User
) -> None:
    one, two, at = make_project(), make_project(), now()
    feedback_settings_set(project=one, by=mona, at=at, log_days=2)
    predictions_record(
        rows=[said(one, at - 8 * DAY, "gone"), said(two, at - 8 * DAY, "stays"), said(one, at - 9 * DAY)]
    )
    log_forget(at=at)
    log_forget(at=at)
    assert list(Prediction.objects.values_list("inference_id", flat=True)) == ["stays"]
    assert (at - 8 * DAY).date() in days_kept(ANSWERS), "somebody's row is in it"
    assert (at - 9 * DAY).date() not in days_kept(ANSWERS), "nobody's row is in it"


def test_many_rows_of_one_moment_are_forgotten_in_parts(
    make_project: Callable[..., Project], mona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.monitoring.log.retention.FORGOTTEN_AT_ONCE", 10)
    project = make_project()
    at = now()
    feedback_settings_set(project=project, by=mona, at=at, log_days=2)
    predictions_record(rows=[said(project, at - 3 * DAY + timedelta(seconds=n // 30), f"q{n}") for n in range(95)])
    make_project()  # it keeps everything, so no day goes as a whole
    log_forget(at=at)
    assert not Prediction.objects.exists()


def test_the_counts_stay_when_the_log_forgets(project: Project, mona: User) -> None:
    from apps.monitoring.log.traffic import traffic_of
    from apps.pages.periods import period_named

    at = now()
    feedback_settings_set(project=project, by=mona, at=at, log_days=1)
    predictions_record(rows=[said(project, at - 3 * DAY)])
    log_forget(at=at)
    assert not Prediction.objects.exists() and traffic_of(project, period_named("7d", at)).answers == 1


def test_feedback_after_retention_waits_and_becomes_a_letter(project: Project, mona: User) -> None:
    at = now()
    feedback_settings_set(project=project, by=mona, at=at, log_days=1)
    predictions_record(rows=[said(project, at - 3 * DAY, "q1")])
    log_forget(at=at)
    (row,) = feedback_take(project=project, rows=[{"inference_id": "q1", "label": "ham"}], at=at)
    assert row.status == FeedbackStatus.WAITING
    feedback_join(project=project, at=at + UNKNOWN_FOR + timedelta(seconds=1))
    assert not Feedback.objects.exists()
    assert FeedbackLetter.objects.get().reason == "No answer was logged under this id within 7 days."


def test_an_id_is_forgotten_on_every_day(project: Project) -> None:
    predictions_record(rows=[said(project, now() - n * DAY, "q1", asked=AskedRow({"text": "a"})) for n in range(3)])
    assert predictions_forget(project=project, inference_id="q1") == 3
    assert not AskedPayload.objects.exists() and Prediction.objects.filter(inference_id="").count() == 3


def test_a_query_of_one_day_reads_that_day_alone(project: Project) -> None:
    at = now()
    predictions_record(rows=[said(project, at - n * DAY) for n in range(5)])
    day = Prediction.objects.filter(
        project=project, at__gte=at - DAY - timedelta(hours=1), at__lt=at - DAY + timedelta(hours=1)
    )
    plan = day.explain()
    assert of_day(at - DAY) in plan and of_day(at) not in plan and of_day(at - 3 * DAY) not in plan


@pytest.mark.django_db(transaction=True)
def test_while_somebody_reads_the_default_partition_rows_are_logged_all_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader for an hour must not hold up the log: the day is made another time."""
    monkeypatch.setattr(partitions, "WAIT", "50ms")
    at = now() - 77 * DAY
    other = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {ANSWERS}_default IN ACCESS SHARE MODE")
        predictions_record(rows=[said(project, at, "held")])
        assert where("held") == f"{ANSWERS}_default"
    finally:
        other.close()
    partitions_ensure(table=ANSWERS, moments=[at])
    assert where("held") == of_day(at)
    with transaction.atomic():
        partitions_drop(table=ANSWERS, before=at + 2 * DAY, at=at)
    assert not Prediction.objects.exists()
