"""What comes back: taken once, joined with the log whenever that comes, refused in words, forgotten in time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import sqrt
from statistics import stdev
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.loop.closing.services import project_archive
from apps.monitoring.feedback.selectors import board_of, means_of
from apps.monitoring.feedback.services import feedback_join, feedback_sweep, feedback_take
from apps.monitoring.feedback.settings import feedback_settings_set, logs_kept
from apps.monitoring.log import retention
from apps.monitoring.log.retention import log_forget
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_forget, predictions_record
from apps.monitoring.models import AskedPayload, Feedback, FeedbackLetter, Prediction
from apps.pages.periods import period_named
from apps.projects.models import Project
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def answer(project: Project, inference_id: str, label: str = "ham", *, at: datetime = NOON, **more: Any) -> None:
    predictions_record(rows=[LoggedPrediction(project.pk, inference_id, at, 3, label, 0.9, 5.0, **more)])


def take(project: Project, *rows: dict[str, Any], at: datetime = NOON) -> list[str]:
    return [str(row.status) for row in feedback_take(project=project, rows=rows, at=at)]


def refusal(project: Project, row: object) -> str:
    (found,) = feedback_take(project=project, rows=[row], at=NOON)
    assert found.status == "refused"
    return found.reason


def test_a_label_and_a_click_are_joined_with_the_answer_they_speak_of(project: Project) -> None:
    answer(project, "q1", arm="canary", rollout=7, entity=11)
    click = {"inference_id": "q1", "name": "click", "value": True}
    assert take(project, {"inference_id": "q1", "label": "spam"}, click) == ["joined", "joined"]
    label, number = Feedback.objects.order_by("id")
    assert (label.predicted, label.worth, label.model_number, label.arm, label.rollout, label.entity) == (
        "ham",
        0.0,
        3,
        "canary",
        7,
        11,
    )
    assert (number.worth, number.answered_at) == (1.0, NOON)


def test_the_same_twice_is_once_also_in_one_batch_and_later(project: Project) -> None:
    answer(project, "q1")
    said = {"inference_id": "q1", "label": "ham"}
    assert take(project, said, said) == ["joined", "known"]
    assert take(project, said, at=NOON + HOUR) == ["known"]
    assert Feedback.objects.get().at == NOON


def test_a_correction_counts_and_what_happened_before_it_does_not(project: Project) -> None:
    answer(project, "q1")
    times = [(NOON + n * HOUR).isoformat() for n in range(3)]
    later = NOON + 3 * HOUR
    assert take(project, {"inference_id": "q1", "label": "spam", "at": times[1]}, at=later) == ["joined"]
    assert take(project, {"inference_id": "q1", "label": "ham", "at": times[0]}, at=later) == ["older"]
    assert Feedback.objects.get().worth == 0.0
    assert take(project, {"inference_id": "q1", "label": "ham", "at": times[2]}, at=later) == ["corrected"]
    kept = Feedback.objects.get()
    assert (kept.worth, kept.corrections, kept.at) == (1.0, 1, NOON + 2 * HOUR)


def test_an_unknown_id_waits_and_is_joined_when_its_answer_is_logged(project: Project) -> None:
    assert take(project, {"inference_id": "q1", "label": "ham"}) == ["waiting"]
    feedback_sweep(at=NOON + timedelta(seconds=2))
    assert Feedback.objects.get().answered_at is None
    answer(project, "q1", at=NOON + timedelta(seconds=3))
    feedback_sweep(at=NOON + timedelta(seconds=5))
    assert Feedback.objects.get().worth == 1.0


def test_what_no_answer_has_within_a_week_is_a_dead_letter_with_its_reason(project: Project) -> None:
    take(project, {"inference_id": "q1", "name": "rating", "value": 4})
    feedback_join(project=project, at=NOON + timedelta(days=6))
    assert Feedback.objects.exists()
    feedback_join(project=project, at=NOON + timedelta(days=7))
    letter = FeedbackLetter.objects.get()
    assert not Feedback.objects.exists()
    assert (letter.inference_id, letter.reason) == ("q1", "No answer was logged under this id within 7 days.")
    assert letter.row["value"] == "4.0"


def test_another_projects_answer_is_as_unknown_as_none(make_project: Callable[..., Project]) -> None:
    mine, other = make_project(), make_project()
    answer(other, "q1")
    assert take(mine, {"inference_id": "q1", "label": "ham"}) == take(mine, {"inference_id": "q2", "label": "ham"})
    feedback_sweep(at=NOON + HOUR)
    assert not Feedback.objects.exclude(answered_at=None).exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"label": "ham"}, "has no “inference_id”"),
        ({"inference_id": "q1"}, "either a “label”, or a “value”"),
        ({"inference_id": "q1", "label": "ham", "value": 1}, "either a “label”, or a “value”"),
        ({"inference_id": "q1", "label": "eggs"}, "no label “eggs”. It has ham, spam."),
        ({"inference_id": "q1", "label": 3}, "not a label’s name"),
        ({"inference_id": "q1", "value": 1}, "needs a “name”"),
        ({"inference_id": "q1", "name": "label", "value": 1}, "is the name of labels"),
        ({"inference_id": "q1", "name": "x\x00", "value": 1}, "NUL"),
        ({"inference_id": "q1", "name": "click", "value": float("nan")}, "not a finite number"),
        ({"inference_id": "q1", "name": "click", "value": 10**400}, "not a finite number"),
        ({"inference_id": "q1", "name": "click", "value": "1"}, "not a number"),
        ({"inference_id": "q1", "label": "ham", "at": "2031-01-01"}, "outside 1970 to tomorrow"),
        ({"inference_id": "q1", "label": "ham", "at": "03/04/2026"}, "may be"),
        ({"inference_id": "q1", "label": "ham", "at": "soon"}, "was not understood"),
        ({"inference_id": 1.8446744073709552e19, "label": "ham"}, "lost its last digits"),
        ({"inference_id": "q" * 101, "label": "ham"}, "at most 100"),
        ({"inference_id": "q1", "label": "ham", "item": -1}, "the place of a row"),
        ({"inference_id": "q1", "label": "ham", "item": 4}, "had 1 row, so there is no item 4"),
        ({"inference_id": "q1", "lable": "ham"}, "“lable” is not known"),
        ({"inference_id": "old", "label": "ham", "at": "2026-10-01"}, "before the model answered"),
        ("ham", "not an object"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words_and_kept_with_them(project: Project, row: object, words: str) -> None:
    answer(project, "q1")
    answer(project, "old")
    assert words in refusal(project, row)
    assert words in FeedbackLetter.objects.get().reason
    assert not Feedback.objects.exists()


def test_a_number_of_64_bits_is_the_id_digit_by_digit(project: Project) -> None:
    answer(project, "18446744073709551615")
    assert take(project, {"inference_id": 2**64 - 1, "label": "ham"}) == ["joined"]


def test_a_request_of_several_rows_wants_to_know_which(project: Project) -> None:
    for item, label in enumerate(("ham", "spam")):
        answer(project, "q1", label, item=item)
    assert "had 2 rows: say which" in refusal(project, {"inference_id": "q1", "label": "spam"})
    assert take(project, {"inference_id": "q1", "item": 1, "label": "spam"}) == ["joined"]
    assert Feedback.objects.get().worth == 1.0


def test_rows_that_an_earlier_release_logged_as_one_are_joined_with_none(project: Project) -> None:
    answer(project, "q1", "ham")
    answer(project, "q1", "spam")
    assert "cannot tell them apart" in refusal(project, {"inference_id": "q1", "item": 0, "label": "spam"})


def test_what_a_shadow_said_or_a_canary_failed_to_say_is_nobodys_answer(project: Project) -> None:
    answer(project, "q1", "", arm="canary", rollout=7, failed=True)
    answer(project, "q1", "ham")
    answer(project, "q1", "spam", arm="shadow", rollout=7)
    take(project, {"inference_id": "q1", "label": "ham"})
    kept = Feedback.objects.get()
    assert (kept.arm, kept.rollout, kept.worth) == ("champion", None, 1.0)


def test_a_label_under_its_former_name_is_the_label_of_today(project: Project) -> None:
    project.labels.filter(name="ham").update(name="good", former_names=["ham"])
    answer(project, "q1", "ham")
    assert take(project, {"inference_id": "q1", "label": "ham"}) == ["joined"]
    kept = Feedback.objects.get()
    assert (kept.label, kept.worth) == ("good", 1.0)


def test_answers_that_are_no_single_label_take_numbers_only(make_project: Callable[..., Project]) -> None:
    project = make_project(task_type="text-multilabel")
    assert "not one label" in refusal(project, {"inference_id": "q1", "label": "ham"})
    assert take(project, {"inference_id": "q1", "name": "rating", "value": -2.5}) == ["waiting"]


def test_in_the_archive_nothing_is_joined(project: Project, mona: User) -> None:
    take(project, {"inference_id": "q1", "label": "ham"})
    answer(project, "q1")
    project_archive(project=project, by=mona, at=NOON)
    feedback_sweep(at=NOON + HOUR)
    assert Feedback.objects.get().answered_at is None


def test_what_is_older_than_the_project_keeps_it_goes(project: Project, mona: User) -> None:
    feedback_settings_set(project=project, by=mona, at=NOON, payloads="all", payload_days=2, log_days=5)
    answer(project, "q1", asked=AskedRow({"text": "a"}))
    take(project, {"inference_id": "q1", "label": "ham"})
    log_forget(at=NOON + timedelta(days=1))
    assert AskedPayload.objects.get().row == {"text": "a"}
    log_forget(at=NOON + timedelta(days=3))
    assert not AskedPayload.objects.exists() and Prediction.objects.exists()
    log_forget(at=NOON + timedelta(days=6))
    assert not Prediction.objects.exists() and not Feedback.objects.exists()


def test_without_a_choice_answers_are_kept_and_nothing_of_what_was_asked_is(project: Project) -> None:
    answer(project, "q1")
    log_forget(at=NOON + timedelta(days=4000))
    assert Prediction.objects.exists() and logs_kept() == {}


def test_letters_are_kept_for_a_month_and_up_to_a_number(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_LETTERS", 2)
    for n in range(4):
        refusal(project, {"inference_id": f"q{n}"})
    log_forget(at=NOON)
    assert list(FeedbackLetter.objects.values_list("inference_id", flat=True)) == ["q3", "q2"]
    log_forget(at=NOON + timedelta(days=31))
    assert not FeedbackLetter.objects.exists()


def test_who_asks_to_be_forgotten_leaves_no_feedback(project: Project) -> None:
    answer(project, "q1", asked=AskedRow({"text": "a"}))
    take(project, {"inference_id": "q1", "label": "ham"})
    predictions_forget(project=project, inference_id="q1")
    assert not Feedback.objects.exists() and not AskedPayload.objects.exists()


def test_the_policy_says_of_how_many_requests_the_log_keeps_what_was_asked(project: Project, mona: User) -> None:
    feedback_settings_set(project=project, by=mona, at=NOON, payloads="sample", sample_share=0.25)
    assert logs_kept()[project.pk].asked == 0.25
    feedback_settings_set(project=project, by=mona, at=NOON, payloads="all")
    assert logs_kept()[project.pk].asked == 1.0
    feedback_settings_set(project=project, by=mona, at=NOON, payloads="none")
    assert logs_kept()[project.pk].asked == 0.0


def test_where_silence_is_zero_means_are_those_of_every_answer(project: Project, mona: User) -> None:
    """Against the same sums by hand: 8 answers of v3, 3 clicks; buckets add up to the whole."""
    at, hour = timezone.now().replace(minute=0, second=0, microsecond=0), timedelta(hours=1)
    settings = feedback_settings_set(project=project, by=mona, at=at, zero_names=["click"], maturity_hours=24)
    for n in range(8):
        answer(project, f"q{n}", at=at - (30 + n // 4) * hour + timedelta(minutes=n))
    answer(project, "young", at=at - 2 * hour)
    take(project, *({"inference_id": f"q{n}", "name": "click", "value": n % 2} for n in (0, 1, 3, 5)), at=at)
    (mean,) = means_of(project, settings, "click", at, period_named("7d", at))
    worths = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]
    assert (mean.requests, mean.mean) == (8, 3 / 8)
    assert mean.half == pytest.approx(1.96 * stdev(worths) / sqrt(8))
    parts = means_of(project, settings, "click", at, period_named("7d", at), buckets=True)
    assert sum(p.requests for p in parts) == 8 and sum(p.requests * p.mean for p in parts) == 3
    assert all(p.at is not None for p in parts)


def test_what_the_log_forgot_is_no_silence(project: Project, mona: User) -> None:
    at = timezone.now()
    settings = feedback_settings_set(
        project=project, by=mona, at=at, zero_names=["click"], maturity_hours=1, log_days=2
    )
    for name, days in (("old", 4), ("new", 1)):
        answer(project, name, at=at - timedelta(days=days))
        take(project, {"inference_id": name, "name": "click", "value": 1}, at=at)
    log_forget(at=at)
    (mean,) = means_of(project, settings, "click", at, period_named("7d", at))
    assert (mean.requests, mean.mean) == (1, 1.0)
    assert board_of(project, at, period_named("7d", at)).answered == 1
