"""A log that keeps a share of the answers: counts of all, rows of some, and figures that know of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from apps.errors import Invalid
from apps.monitoring.feedback.selectors import board_of, means_of
from apps.monitoring.feedback.services import LOGGED_WITHIN, UNKNOWN_FOR, feedback_join, feedback_take
from apps.monitoring.feedback.settings import feedback_settings_of, feedback_settings_set, log_shares_of
from apps.monitoring.log.sample import traffic_of_slice
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import AnswerRollup, AskedPayload, Feedback, FeedbackLetter, Prediction
from apps.monitoring.monitors.evidence import WindowEvidence
from apps.monitoring.services import answers_evenly
from apps.pages.periods import period_named
from apps.rules.log_sample import LogShares, stays
from apps.rules.monitors import MonitorNeed
from tests.conftest import NOON
from tests.monitoring.monitors.conftest import reference

HOUR = timedelta(hours=1)
SHARES = LogShares(0.1, {"spam": 1.0})


def served(project, n=1_000, at=NOON, spam=10, shares=SHARES, **more):
    """As a predictor writes them: one answer in `spam` is spam."""
    rows = [
        LoggedPrediction(project.pk, f"q{k}", at, 1, "spam" if k % spam == 0 else "ham", 0.9, 5.0, **more)
        for k in range(n)
    ]
    return [replace(row, share=s, stays=stays(row.inference_id, s)) for row in rows for s in [shares.of([row.label])]]


def test_every_answer_is_counted_and_a_share_has_a_row(project):
    rows = served(project)
    written = predictions_record(rows=rows)
    assert AnswerRollup.objects.filter(width=60).aggregate(n=Sum("answers"))["n"] == 1_000
    by_label = dict(AnswerRollup.objects.filter(width=60).values_list("label", "answers"))
    assert by_label == {"ham": 900, "spam": 100}
    kept = set(Prediction.objects.values_list("inference_id", "share"))
    assert kept == {(row.inference_id, row.share) for row in rows if row.stays}
    assert written.kept == len(kept) and 150 < len(kept) < 230 and not written.refused


@pytest.mark.parametrize("fault", [{"confidence": float("nan")}, {"label": "a\x00"}, {"label": "x" * 81}])
def test_what_no_table_takes_is_refused_alone_though_nobody_tried_it(project, fault):
    rows = [replace(row, stays=False) for row in served(project, 3)]
    rows[1] = replace(rows[1], **fault)
    written = predictions_record(rows=rows)
    assert [row for row, _ in written.refused] == [rows[1]]
    assert AnswerRollup.objects.filter(width=1).aggregate(n=Sum("answers"))["n"] == 2


def test_monitors_read_the_mix_that_was_answered(project):
    predictions_record(rows=served(project, 4_000))
    rows = answers_evenly(project, 1, NOON - HOUR, NOON)
    assert 300 < len(rows) < 500
    assert 0.05 < sum(row.label == "spam" for row in rows) / len(rows) < 0.15


def test_columns_and_slices_are_read_evenly_too(project):
    rows = served(project, 2_000)
    rows = [replace(row, asked=AskedRow({"city": "Rome" if row.label == "spam" else "Oslo"})) for row in rows]
    predictions_record(rows=rows)
    assert AskedPayload.objects.count() == Prediction.objects.count() > 300
    window = WindowEvidence(project, reference(), NOON - HOUR, NOON, NOON - HOUR, HOUR, NOON)
    cities = window.of([MonitorNeed.COLUMNS]).columns.window["city"]
    assert 130 < len(cities) < 270 and cities.count("Rome") < 0.2 * len(cities)
    period = period_named("24h", NOON + HOUR)
    traffic = traffic_of_slice(project, period, column="city", value="Oslo")
    assert traffic.answers == sum(stays(row.inference_id, 0.1) for row in rows if row.label == "ham")


def test_losses_are_those_of_all_answers(project):
    """Spam is always wrong and all of it is kept: a tenth of the answers is wrong, not half of the rows."""
    rows = served(project, 3_000)
    predictions_record(rows=rows)
    names = [row.inference_id for row in rows if row.stays]
    for some in (names[:900], names[900:]):
        feedback_take(project=project, rows=[{"inference_id": name, "label": "ham"} for name in some], at=NOON + HOUR)
    window = WindowEvidence(project, reference(), NOON - HOUR, NOON, NOON - HOUR, HOUR, NOON)
    losses = window.of([MonitorNeed.LOSSES]).losses
    assert 200 < len(losses.wrong) < 400 and 0.05 < losses.wrong.mean() < 0.16


def test_means_weigh_rows_by_what_they_stand_for(project, mona):
    at = timezone.now()
    settings = feedback_settings_set(
        project=project, by=mona, at=at, answer_share=0.1, label_shares={"spam": 1.0}, zero_names=["click", "seen"]
    )
    rows = served(project, 3_000, at=at - 30 * HOUR)
    predictions_record(rows=rows)
    kept = [row for row in rows if row.stays]
    said = [{"inference_id": row.inference_id, "label": "ham"} for row in kept]
    clicks = [{"inference_id": row.inference_id, "name": "click", "value": 1} for row in kept if row.label == "spam"]
    said += [{"inference_id": row.inference_id, "name": "seen", "value": 1} for row in kept]
    for k in range(0, len(said), 500):
        feedback_take(project=project, rows=said[k : k + 500], at=at - 29 * HOUR)
    feedback_take(project=project, rows=clicks, at=at - 29 * HOUR)
    (right,) = means_of(project, settings, "label", at, period_named("7d", at))
    weights = [1 / row.share for row in kept]
    exact = sum(w for w, row in zip(weights, kept, strict=True) if row.label == "ham") / sum(weights)
    assert right.mean == pytest.approx(exact) and 0.88 < right.mean < 0.92
    share = sum(row.label == "ham" for row in kept) / len(kept)
    naive = 1.96 * (share * (1 - share) / (len(kept) - 1)) ** 0.5
    assert right.half == pytest.approx(naive * (len(kept) * sum(w * w for w in weights)) ** 0.5 / sum(weights))
    (clicked,) = means_of(project, settings, "click", at, period_named("7d", at))
    assert (clicked.requests, clicked.mean) == (3_000, pytest.approx(0.1))
    (seen,) = means_of(project, settings, "seen", at, period_named("7d", at))
    assert seen.mean == pytest.approx(sum(weights) / 3_000) and 0.9 < seen.mean < 1.1
    board = board_of(project, at, period_named("7d", at))
    assert board.answered == 3_000 and 2_700 < board.with_feedback <= 3_000


def test_feedback_on_what_was_left_out_is_dropped_after_an_hour_and_what_would_be_there_is_waited_for(project, mona):
    feedback_settings_set(project=project, by=mona, at=NOON, answer_share=0.5)
    out = next(f"q{n}" for n in range(99) if not stays(f"q{n}", 0.5))
    there = next(f"q{n}" for n in range(99) if stays(f"q{n}", 0.5))
    feedback_take(project=project, rows=[{"inference_id": name, "label": "ham"} for name in (out, there)], at=NOON)
    feedback_join(project=project, at=NOON + LOGGED_WITHIN - timedelta(seconds=1))
    assert Feedback.objects.count() == 2
    feedback_join(project=project, at=NOON + 2 * LOGGED_WITHIN)
    assert [each.inference_id for each in Feedback.objects.all()] == [there]
    assert feedback_settings_of(project).left_out == 1 and not FeedbackLetter.objects.exists()
    feedback_join(project=project, at=NOON + UNKNOWN_FOR)
    assert FeedbackLetter.objects.get().inference_id == there


def test_shares_of_labels_hold_under_every_name_of_the_label(project, mona):
    label = project.labels.get(name="spam")
    label.former_names = ["junk"]
    label.save()
    feedback_settings_set(project=project, by=mona, at=NOON, answer_share=0.25, label_shares={"junk": 0.5})
    assert feedback_settings_of(project).label_shares == {"spam": 0.5}
    assert log_shares_of(feedback_settings_of(project)) == LogShares(0.25, {"spam": 0.5, "junk": 0.5})


@pytest.mark.parametrize(
    "given",
    [
        {"answer_share": 0},
        {"answer_share": 1.5},
        {"answer_share": float("nan")},
        {"answer_share": None},
        {"label_shares": {"unknown": 0.5}},
        {"label_shares": {"ham": 0}},
        {"label_shares": {"ham": True}},
        {"label_shares": {"ham": "half"}},
    ],
)
def test_a_share_that_is_none_is_refused_and_nothing_changes(project, mona, given):
    with pytest.raises(Invalid):
        feedback_settings_set(project=project, by=mona, at=NOON, **given)
    assert not feedback_settings_of(project).samples
