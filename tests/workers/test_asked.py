"""What the log keeps of what requests ask about: as the project wants it, bounded, and never at the price of an answer."""

import asyncio

import numpy as np
import pytest
from django.utils import timezone
from kserve import InferInput, InferRequest

from apps.monitoring.feedback.settings import LogKept, feedback_settings_set
from apps.monitoring.log.services import AskedRow, LoggedPrediction
from apps.monitoring.models import AskedPayload, Prediction
from apps.releases.selectors import Route
from apps.rules.log_sample import LogShares, stays
from tests.conftest import NOON
from tests.workers.test_predictor import LOANS, KeptLog
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.asked import asked_rows
from workers.predictor.log import PredictionLog
from workers.predictor.models import ProjectModel
from workers.predictor.spool.records import decoded
from workers.training.learners.outputs import margins


def asked(share: float, n: int = 1) -> list[LoggedPrediction]:
    log = KeptLog()
    log._kept = {1: LogKept(asked=share)}
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


def replied(
    kept: LogKept, n: int, serving: ServingArms | None = None
) -> tuple[list[LoggedPrediction], list[dict[str, object]]]:
    """Rows and the parameters of the replies to requests of two rows."""
    log = KeptLog()
    log._kept = {1: kept}
    served = ProjectModel("loans", serving or ServingArms(LoadedModel(LOANS, 3, 1, "file:///a")), log)

    async def all_of_them() -> list[dict[str, object]]:
        inputs = [InferInput("age", [2], "FP64", [30.0, 60.0]), InferInput("job", [2], "BYTES", ["nurse", "cook"])]
        return [(await served.reply(InferRequest("loans", inputs, request_id=f"r{k}")))["parameters"] for k in range(n)]

    said = asyncio.run(all_of_them())
    return log.rows, said


def test_a_sampled_log_gets_every_answer_and_says_which_stay_by_their_ids():
    kept = LogKept(LogShares(0.25), asked=1.0)
    rows, said = replied(kept, 100)
    assert len(rows) == 200 and {row.share for row in rows} == {0.25}
    assert {row.inference_id for row in rows if row.stays} == {f"r{k}" for k in range(100) if stays(f"r{k}", 0.25)}
    assert all((row.asked is not None) == row.stays for row in rows)
    assert ["logged" in each for each in said] == [not stays(f"r{k}", 0.25) for k in range(100)]
    again, _ = replied(kept, 100)
    assert [row.stays for row in again] == [row.stays for row in rows]


def test_the_rows_of_a_request_stay_or_go_together_as_their_rarest_label_wants():
    rows, _ = replied(LogKept(LogShares(0.01, {LOANS.labels[0]: 1.0})), 5)
    those_of: dict[str, list[LoggedPrediction]] = {}
    for row in rows:
        those_of.setdefault(row.inference_id, []).append(row)
    for those in those_of.values():
        named = any(row.label == LOANS.labels[0] for row in those)
        assert {row.share for row in those} == {1.0 if named else 0.01}


def test_while_a_rollout_is_on_every_answer_stays():
    champion, canary = LoadedModel(LOANS, 3, 1, "file:///a"), LoadedModel(LOANS, 4, 1, "file:///b")
    route = Route(7, 4, "file:///b", 50.0, 0.0, "salt")
    rows, said = replied(LogKept(LogShares(0.01)), 40, ServingArms(champion, canary, route))
    assert {str(row.arm) for row in rows} == {"champion", "canary"}
    assert all(row.stays and row.share == 1 for row in rows) and not any("logged" in each for each in said)


def test_a_row_has_the_margin_of_its_answer():
    rows, _ = replied(LogKept(), 1)
    assert [row.margin for row in rows] == pytest.approx([2 * row.confidence - 1 for row in rows])
    assert margins(np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])) == pytest.approx([0.2, 0.7])
    assert margins(np.ones((2, 1))) is None
