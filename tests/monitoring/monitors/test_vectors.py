"""Texts as the champion's encoder sees them: a reading waits for the vectors, and no longer than is said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import User
from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.log.retention import log_forget
from apps.monitoring.models import AskedPayload, MonitorReading, ReadingOutcome, VectorsFault, WindowVectors
from apps.monitoring.monitors import vectors
from apps.monitoring.monitors.reference import EncodedReference, ReferenceRows
from apps.monitoring.monitors.vectors import (
    WindowWaits,
    window_requests,
    window_vectors,
    window_vectors_given,
    window_vectors_record,
)
from apps.projects.models import Project
from apps.work.names import Job
from tests.monitoring.monitors.conftest import MIDNIGHT, answered, asked, look

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
EMBEDDING = {"type": "embedding-drift", "window": "1d"}
Watched = Callable[..., Project]


def drawn(seed: int, n: int, *, moved: bool = False) -> Any:
    return np.random.default_rng(seed).normal(0.7 if moved else 0, 1, (n, 8)).astype(np.float16)


LEARNED = drawn(0, 200).astype(float)
BY_ENCODER = EncodedReference("our-encoder", lambda: LEARNED)


def simpler(rows: Any, images: Any) -> Any:
    return drawn(2, len(rows)).astype(float)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Job, int]]:
    found: list[tuple[Job, int]] = []
    monkeypatch.setattr(vectors, "ask", lambda job, row_id: found.append((job, row_id)))
    return found


@pytest.fixture
def texts(watched: Watched) -> Project:
    project = watched(EMBEDDING, {"type": "class_mix"})
    answered(project, MIDNIGHT)
    asked(project, MIDNIGHT, [{"text": f"text {i}"} for i in range(100)])
    return project


def looked(project: Project, at: datetime, encoded: EncodedReference = BY_ENCODER) -> dict[str, MonitorReading]:
    learned = ReferenceRows(columns=dict, vectors=lambda: drawn(1, 200).astype(float))
    made = look(project, at, learned=learned, encode=simpler, encoded=encoded)
    return {each.type: each for each in made if each.until == MIDNIGHT}


def test_a_reading_waits_for_the_vectors_of_the_encoder_and_holds_up_no_other(
    texts: Project, sent: list[tuple[Job, int]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for after in (1, 2):
        with django_capture_on_commit_callbacks(execute=True):
            found = looked(texts, MIDNIGHT + after * 5 * MINUTE)
        assert set(found) == ({"class_mix"} if after == 1 else set())
        row = WindowVectors.objects.get(until=MIDNIGHT)
        assert sent.count((Job.WINDOW_VECTORS, row.pk)) == after, "a message may be lost"
    window_vectors_record(row_id=row.pk, vectors=drawn(3, 100, moved=True), at=MIDNIGHT)
    reading = looked(texts, MIDNIGHT + 14 * MINUTE)["embedding-drift"]
    assert reading.outcome == ReadingOutcome.RAISED and "as “our-encoder” sees it" in reading.sentence
    window_vectors_record(row_id=row.pk, vectors=drawn(3, 5), at=MIDNIGHT)
    assert WindowVectors.objects.get(pk=row.pk).n == 100, "the first stays"


def test_after_a_quarter_of_an_hour_it_falls_back_and_says_so(texts: Project, sent: list[tuple[Job, int]]) -> None:
    assert "embedding-drift" not in looked(texts, MIDNIGHT + 5 * MINUTE)
    assert "embedding-drift" not in looked(texts, MIDNIGHT + 19 * MINUTE)
    reading = looked(texts, MIDNIGHT + 20 * MINUTE)["embedding-drift"]
    assert reading.outcome == ReadingOutcome.FINE
    assert reading.sentence == (
        "As it was, in 100 rows. Not as the champion's encoder sees it, but by simpler vectors: its vectors did not come "
        "within 15 min."
    )


@pytest.mark.parametrize(
    ("encoded", "fault", "words"),
    [
        (EncodedReference("gone", lambda: None), None, "no vectors of its training examples are stored"),
        (BY_ENCODER, VectorsFault.MISSING, "its weights cannot be loaded"),
        (BY_ENCODER, None, "it can read none of the requests"),
    ],
)
def test_what_the_encoder_cannot_see_is_not_waited_for(
    texts: Project, sent: list[tuple[Job, int]], encoded: EncodedReference, fault: VectorsFault | None, words: str
) -> None:
    if encoded is BY_ENCODER:
        looked(texts, MIDNIGHT + MINUTE)
        row = WindowVectors.objects.get(until=MIDNIGHT)
        failed = None if fault else np.zeros((3, 8), np.float16)  # an encoder that fails on a payload gives zeros
        window_vectors_record(row_id=row.pk, vectors=failed, at=MIDNIGHT, fault=fault)
    assert words in looked(texts, MIDNIGHT + 2 * MINUTE, encoded)["embedding-drift"].sentence
    assert WindowVectors.objects.exists() is (encoded is BY_ENCODER)


def test_at_most_four_hundred_of_a_window_are_encoded_from_all_of_it(project: Project) -> None:
    asked(project, MIDNIGHT, [{"text": str(i)} for i in range(1_000)])
    row = WindowVectors(project=project, since=MIDNIGHT - DAY, until=MIDNIGHT)
    rows = window_requests(row)
    assert len(rows) == len({each.pk for each in rows}) == 400
    assert (rows[0].row, rows[-1].row) == ({"text": "0"}, {"text": "999"})
    AskedPayload.objects.all().delete()
    assert window_requests(row) == []


def test_vectors_go_with_the_requests_and_old_windows_go_first(
    project: Project, mona: User, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[Job, int]]
) -> None:
    monkeypatch.setattr(vectors, "MOST_WINDOWS", 3)
    for back in range(5, -1, -1):
        until = MIDNIGHT - back * DAY
        with pytest.raises(WindowWaits):
            window_vectors(project, "our-encoder", until - DAY, until, at=until)
    assert sorted(WindowVectors.objects.values_list("until", flat=True)) == [MIDNIGHT - k * DAY for k in (2, 1, 0)]
    feedback_settings_set(project=project, by=mona, at=MIDNIGHT, payload_days=2)
    log_forget(at=MIDNIGHT)
    assert sorted(WindowVectors.objects.values_list("until", flat=True)) == [MIDNIGHT - DAY, MIDNIGHT]


def test_nothing_is_encoded_twice_or_in_the_archive(project: Project) -> None:
    row = WindowVectors.objects.create(
        project=project, encoder="e", since=MIDNIGHT - DAY, until=MIDNIGHT, wanted_at=MIDNIGHT
    )
    assert window_vectors_given(row.pk) == row
    Project.objects.update(archived_at=MIDNIGHT)
    assert window_vectors_given(row.pk) is None
    Project.objects.update(archived_at=None)
    window_vectors_record(row_id=row.pk, vectors=drawn(0, 3), at=MIDNIGHT)
    assert window_vectors_given(row.pk) is None
    assert np.array_equal(WindowVectors.objects.get().rows, drawn(0, 3).astype(float))
