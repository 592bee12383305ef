"""What the log keeps of what requests ask about: as the project wants it, bounded, and never at the price of an answer."""

import asyncio

import pytest
from django.utils import timezone
from kserve import InferInput, InferRequest

from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.log.services import AskedRow, LoggedPrediction
from apps.monitoring.models import AskedPayload, Prediction
from tests.conftest import NOON
from tests.workers.test_predictor import LOANS, KeptLog
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.asked import asked_rows
from workers.predictor.log import PredictionLog
from workers.predictor.models import ProjectModel
from workers.predictor.spool.records import decoded


def asked(share: float, n: int = 1) -> list[LoggedPrediction]:
    log = KeptLog()
    log._shares = {1: share}
    served = ProjectModel("loans", ServingArms(LoadedModel(LOANS, 3, 1, "file:///a")), log)

    async def all_of_them() -> None:
        for k in range(n):
            inputs = [InferInput("age", [2], "FP64", [30.0, None]), InferInput("job", [2], "BYTES", ["nurse", "cook"])]
            await served.predict(InferRequest("loans", inputs, request_id=f"r{k}"))

    asyncio.run(all_of_them())
    return log.rows


def test_each_row_of_a_request_is_kept_in_the_columns_of_a_file():
    first, second = asked(1.0)
    assert (first.item, second.item) == (0, 1)
    assert first.asked == AskedRow({"age": 30.0, "job": "nurse"})
    assert second.asked == AskedRow({"age": None, "job": "cook"})


def test_of_a_sample_about_as_many_are_kept_and_of_none_none():
    kept = {row.inference_id for row in asked(0.3, 200) if row.asked}
    assert 40 < len(kept) < 80
    assert kept == {row.inference_id for row in asked(0.3, 200) if row.asked}
    assert not any(row.asked for row in asked(0.0, 3))


def test_a_picture_stands_beside_and_a_text_is_a_column():
    assert asked_rows([b"png"]) == [AskedRow({}, b"png")]
    assert asked_rows(["Where is it?"]) == [AskedRow({"text": "Where is it?"})]


@pytest.mark.parametrize("payload", ["a\x00b", "half \ud800", {"age": float("nan")}, {"age": object()}])
def test_what_no_database_can_keep_is_left_out_and_the_answer_is_logged(payload):
    assert asked_rows([payload]) is None


def test_beyond_half_its_bound_answers_are_logged_without_what_was_asked(tmp_path):
    log = PredictionLog(tmp_path)
    log.spool.most_bytes = 400
    for k in (0, 1):
        log.add([LoggedPrediction(1, f"r{k}", NOON, 1, "ham", 0.9, 1.0, asked=AskedRow({"text": "x" * 60}))])
    (segment,) = log.spool.oldest_first()
    rows = [decoded(record)[0] for record in segment.read(9).records]
    assert [row.asked is not None for row in rows] == [True, False]


def test_the_log_looks_up_what_projects_want_and_writes_it(project, mona, tmp_path):
    feedback_settings_set(project=project, by=mona, at=NOON, payloads="all")
    log = PredictionLog(tmp_path)
    assert not log.keeps(project.pk, "r0")
    log._look()
    assert log.keeps(project.pk, "r0")
    log.add([LoggedPrediction(project.pk, "r0", timezone.now(), 1, "ham", 0.9, 1.0, asked=AskedRow({"text": "a"}))])
    log._drain()
    assert AskedPayload.objects.get().row == {"text": "a"} and Prediction.objects.get().inference_id == "r0"
