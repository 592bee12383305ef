"""An upload always ends, in words; a part of a periodic job that fails leaves the others their turn."""

from datetime import timedelta

import pytest

from apps.datasets import services as datasets
from apps.datasets.models import Example, Ingestion, IngestionState
from apps.loop import tasks
from apps.loop.services import intake, laps
from apps.releases.models import Promotion, PromotionKind
from tests import rows
from tests.conftest import NOON


@pytest.fixture
def upload(project, lin, tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "examples_follow_up", lambda project, at: None)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1, "text": "x"}\n')
    opened = datasets.ingestion_open(
        project=project, source="upload", by=lin, at=NOON, filename="a.jsonl", size_bytes=9
    )
    Ingestion.objects.filter(pk=opened.pk).update(url=str(path))
    return opened


def test_whatever_a_reader_raises_ends_the_upload_with_a_sentence_and_what_came_before_stays(upload, monkeypatch):
    def reading(project, file, url):
        yield datasets.Row(1, {"id": "a", "text": "x"})
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(datasets, "BATCH", 1)
    monkeypatch.setattr(intake, "read_with", reading)
    intake.ingestion_read(ingestion_id=upload.pk)
    upload.refresh_from_db()
    assert upload.state == IngestionState.FAILED and "could not be read to its end" in upload.error
    assert Example.objects.get().external_id == "a"


def test_what_kills_its_reader_is_read_three_times_and_no_more(upload):
    for n in range(3):
        assert datasets.ingestion_claim(ingestion_id=upload.pk, at=NOON + n * timedelta(hours=1)) is not None
    assert datasets.ingestion_claim(ingestion_id=upload.pk, at=NOON + timedelta(hours=4)) is None
    upload.refresh_from_db()
    assert (upload.state, upload.attempts) == (IngestionState.FAILED, 3) and "ended 3 times" in upload.error


def test_a_part_of_the_sweep_that_fails_leaves_the_others_their_turn(db, monkeypatch, caplog):
    turns = []

    def failing(*, at):
        raise OverflowError("year 1 BC")

    monkeypatch.setattr(tasks, "runs_sweep", failing)
    monkeypatch.setattr(tasks.services, "laps_close", failing)
    monkeypatch.setattr(tasks.services, "scoring_sweep", lambda *, at: turns.append("scoring"))
    tasks.sweep()
    assert turns == ["scoring"] and caplog.text.count("failed alone") == 2


def test_a_lap_that_cannot_close_leaves_the_others_their_turn(make_project, monkeypatch, caplog):
    projects = make_project(), make_project()
    for project in projects:
        rows.labeled(project)
    versions = [rows.model(project) for project in projects]
    promoted = [
        Promotion.objects.create(
            project=version.project, kind=PromotionKind.PROMOTE, version=version, at=NOON, serving_at=NOON
        )
        for version in versions
    ]
    close = laps.lap_close

    def failing(promotion):
        if promotion.pk == promoted[0].pk:
            raise ValueError("year -1 is out of range")
        return close(promotion)

    tried = []
    monkeypatch.setattr(laps, "lap_close", lambda promotion: (tried.append(promotion.pk), failing(promotion))[1])
    laps.laps_close(at=NOON)
    assert tried == [promotion.pk for promotion in promoted]
    assert "failed alone: the lap of" in caplog.text
