"""The predictor's own files: what was acknowledged is in the log, once, whoever was killed, full, torn or away meanwhile."""

import errno
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from apps.monitoring.log import services
from apps.monitoring.log.services import AskedRow, LoggedPrediction, SpoolMoved, SpoolPart, predictions_record
from apps.monitoring.models import AskedPayload, Prediction, SpoolPosition
from fastloop_console.machine.env import ROOT
from fastloop_console.machine.instance import instance_id
from tests.conftest import NOON
from workers.predictor import log as logs
from workers.predictor.log import PredictionLog
from workers.predictor.spool import segments
from workers.predictor.spool.records import RecordUnreadable, decoded, encoded


def said(project_id: int, name: str, **more: Any) -> LoggedPrediction:
    return LoggedPrediction(project_id, name, NOON, 3, "spam", 0.9, 1.5, **more)


def fed(folder: Path, project_id: int, names: list[str]) -> PredictionLog:
    """A log that answered these, one request each, and was killed: its file is whole and nobody holds it."""
    log = PredictionLog(folder)
    for name in names:
        log.add([said(project_id, name)])
    killed(log)
    return log


def killed(log: PredictionLog) -> None:
    """What a kernel does for a process that is gone: its files are closed, and with them its locks."""
    for segment in log.spool.oldest_first():
        segment.close()
    for fd in log.spool._unsynced:
        os.close(fd)


def drained(folder: Path) -> PredictionLog:
    """The next predictor on this folder, after its first turn."""
    log = PredictionLog(folder)
    log._drain()
    return log


def logged() -> list[str]:
    return list(Prediction.objects.order_by("id").values_list("inference_id", flat=True))


def lost() -> float:
    return float(logs.LOST._value.get())


def one_file(folder: Path) -> Path:
    (path,) = folder.glob("*.log")
    return path


def test_rows_come_out_of_a_record_as_they_went_in():
    rows = [
        said(1, "q", entity=-(2**63), rollout=7, agreed=False, arm="shadow", item=3, failed=True),
        said(2, "Zoë \U0001f600", asked=AskedRow({"text": "é", "n": 12345678901234567890123, "no": None})),
        said(2, "p", item=1, asked=AskedRow({}, bytes(range(256)))),
        said(2, "p2", item=2, asked=AskedRow({"age": 1.5}, b"")),
        said(3, "s", margin=0.25, share=0.1, stays=False),
    ]
    assert decoded(encoded(rows)) == rows


def test_a_file_of_the_release_before_is_read(project, tmp_path):
    """Its rows end after what was asked, and its head says 1."""
    rows = [said(project.pk, "old", item=1, asked=AskedRow({"text": "é"}, b"png"))]
    record = encoded(rows)
    (length,) = struct.unpack_from("<I", record)
    (values,) = json.loads(record[4 : 4 + length])
    written = json.dumps([values[:14]]).encode()
    old = struct.pack("<I", len(written)) + written + record[4 + length :]
    assert decoded(old) == rows
    segment = segments.segment_made(tmp_path, instance_id(settings.SECRET_KEY), 1)
    segment.append(old, 1)
    segment.close()
    path = one_file(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"FLLOG 2\n", b"FLLOG 1\n", 1))
    drained(tmp_path)
    (row,) = Prediction.objects.all()
    assert (row.inference_id, row.margin, row.share) == ("old", None, 1.0)


@pytest.mark.parametrize("record", [b"", b"\x03\x00\x00\x00[1]", b"\x04\x00\x00\x00[[]]", b"\xff\xff\xff\xff"])
def test_a_record_of_another_release_is_told_from_one_of_ours(record):
    with pytest.raises(RecordUnreadable):
        decoded(record)


def test_what_was_answered_is_in_the_file_before_the_answer_goes_out(tmp_path):
    log = PredictionLog(tmp_path)
    log.add([said(1, "q1"), said(1, "q1", item=1)])
    log.add([said(1, "q2")])
    content = one_file(tmp_path).read_bytes()
    assert content.index(b"q1") < content.index(b"q2") and log.spool.waiting == 3


def test_a_killed_process_loses_nothing(project, tmp_path):
    """It acknowledges on its standard output after each request, and is killed in the middle of the next ones."""
    code = (
        "import os, sys, django; django.setup()\n"
        "from pathlib import Path\n"
        "from tests.workers.test_spool import said\n"
        "from workers.predictor.log import PredictionLog\n"
        f"log = PredictionLog(Path({str(tmp_path)!r}))\n"
        "for n in range(10**9):\n"
        f"    log.add([said({project.pk}, f'q{{n}}')])\n"
        "    os.write(1, b'%d\\n' % n)\n"
    )
    own = {**os.environ, "DJANGO_SETTINGS_MODULE": "fastloop_console.settings.test"}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=own, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(500)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
    log = drained(tmp_path)
    assert len(acknowledged) >= 500
    assert set(logged()) >= {f"q{n}" for n in acknowledged} and len(set(logged())) == len(logged())
    assert log.spool.oldest_first() == [] and list(tmp_path.iterdir()) == []


def test_a_torn_last_record_is_cut_off_wherever_it_broke(project, tmp_path, caplog):
    fed(tmp_path / "whole", project.pk, ["a", "b", "c"])
    content = one_file(tmp_path / "whole").read_bytes()
    begin = content.rindex(b"c") - 200
    last = next(end for end in range(begin, len(content)) if _ends_a_record(content, end) == 2)
    for cut in range(last + 1, len(content)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        own = content[:24] + uuid.uuid4().bytes + content[40:cut]
        (folder / "1.log").write_bytes(own)
        drained(folder)
        assert logged() == ["a", "b"] and not list(folder.iterdir()), cut
        Prediction.objects.all().delete()
    assert "is not whole and is left out" in caplog.text


def _ends_a_record(content: bytes, end: int) -> int:
    """How many whole records the first `end` bytes hold, exactly; 0 where they do not end with one."""
    place, number = segments.HEAD.size, 0
    while place < end:
        place += segments._RECORD.size + int.from_bytes(content[place : place + 4], "little")
        number += 1
    return number if place == end else 0


def test_zeros_that_a_power_cut_left_are_a_torn_end(project, tmp_path):
    fed(tmp_path, project.pk, ["a"])
    with one_file(tmp_path).open("ab") as file:
        file.write(bytes(5_000))
    drained(tmp_path)
    assert logged() == ["a"] and not list(tmp_path.iterdir())


def test_a_damaged_file_is_written_up_to_there_and_set_aside_in_words(project, tmp_path, caplog):
    fed(tmp_path, project.pk, ["a", "b", "c", "d"])
    path = one_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(b'"b"') + 1] ^= 1
    path.write_bytes(content)
    before = lost()
    drained(tmp_path)
    assert logged() == ["a"] and lost() - before == 3
    assert [p.name for p in tmp_path.iterdir()] == [f"{path.name}.aside"]
    assert f"{path.name} of the prediction log is set aside, since what stands at byte" in caplog.text
    drained(tmp_path)
    assert logged() == ["a"]


def test_while_it_answers_a_damaged_file_costs_what_is_in_it_and_nothing_after(project, tmp_path):
    log = PredictionLog(tmp_path)
    log.add([said(project.pk, "a")])
    log.add([said(project.pk, "b")])
    path = one_file(tmp_path)
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b'"a"'))
        file.write(b'"x"')
    log._drain()
    log.add([said(project.pk, "c")])
    log._drain()
    assert logged() == ["c"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no file of a prediction log"),
        (b"notes of somebody, longer than the head of a segment is", "it is no file of a prediction log"),
        (segments.HEAD.pack(b"FLLOG 3\n", b"0" * 16, bytes(16)), "or of another release's"),
        (segments.HEAD.pack(b"FLLOG 1\n", b"0" * 16, bytes(16)), "it is another console's"),
    ],
)
def test_a_foreign_file_is_set_aside_in_words_and_stays_as_it_is(db, tmp_path, caplog, content, reason):
    (tmp_path / "1.log").write_bytes(content)
    drained(tmp_path)
    assert (tmp_path / "1.log.aside").read_bytes() == content and reason in caplog.text


def test_the_spool_of_another_console_is_not_written(project, tmp_path, settings, caplog):
    settings.INSTANCE_ID = instance_id("theirs")
    fed(tmp_path, project.pk, ["a"])
    settings.INSTANCE_ID = instance_id(settings.SECRET_KEY)
    drained(tmp_path)
    assert logged() == [] and "it is another console's" in caplog.text


def test_what_was_answered_under_an_earlier_key_is_ours(project, tmp_path, settings):
    settings.INSTANCE_ID = instance_id("of before")
    fed(tmp_path, project.pk, ["a"])
    settings.INSTANCE_ID, settings.SECRET_KEY_FALLBACKS = instance_id(settings.SECRET_KEY), ["of before"]
    drained(tmp_path)
    assert logged() == ["a"]


def test_a_copy_of_a_file_that_was_written_is_not_written_again(project, tmp_path):
    fed(tmp_path / "one", project.pk, ["a", "b"])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    drained(tmp_path / "one")
    drained(tmp_path / "two")
    assert logged() == ["a", "b"] and not list((tmp_path / "two").iterdir())


def test_whoever_dies_after_the_commit_leaves_nothing_to_be_written_twice(project, tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "BATCH", 2)
    log = fed(tmp_path, project.pk, list("abcde"))
    log._written(log.spool.oldest_first()[0], log.spool.oldest_first()[0].read(2))
    drained(tmp_path)
    assert logged() == list("abcde")


def test_of_two_who_read_the_same_part_one_is_told_where_the_file_is(project):
    segment, rows = uuid.uuid4(), [said(project.pk, "a")]
    predictions_record(rows=rows, part=SpoolPart(segment, 40, 100), at=NOON)
    for begin in (40, 200):
        with pytest.raises(SpoolMoved) as moved:
            predictions_record(rows=rows, part=SpoolPart(segment, begin, 300), at=NOON)
        assert moved.value.end == 100
    assert logged() == ["a"] and SpoolPosition.objects.get().end == 100


def test_where_the_rows_are_not_kept_the_file_has_not_moved(project, monkeypatch):
    def broken(rows: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(services, "_copy", broken)
    with pytest.raises(OperationalError):
        predictions_record(rows=[said(project.pk, "a")], part=SpoolPart(uuid.uuid4(), 40, 100), at=NOON)
    assert not SpoolPosition.objects.exists()


def test_while_the_database_is_away_everything_waits_in_its_order(project, tmp_path, monkeypatch, caplog):
    away, real = [True], predictions_record

    def record(**given: Any) -> object:
        if away[0]:
            raise OperationalError("the connection is closed")
        return real(**given)

    monkeypatch.setattr(logs, "predictions_record", record)
    log = PredictionLog(tmp_path)
    for name in "abc":
        log.add([said(project.pk, name)])
        log._drain()
    assert logged() == [] and "3 answers wait to be logged: the connection is closed" in caplog.text
    away[0] = False
    log._drain()
    assert logged() == ["a", "b", "c"] and log.spool.waiting == 0


def test_one_row_that_cannot_be_kept_is_dropped_and_the_others_are_kept(project, tmp_path, caplog):
    log = PredictionLog(tmp_path)
    log.add([said(project.pk, f"a{n}") for n in range(40)])
    log.add([said(project.pk, "\x00"), said(project.pk, "b0"), said(project.pk, "b1", item=70_000)])
    log.add([said(project.pk, f"c{n}") for n in range(20)])
    log._drain()
    log._drain()
    assert logged() == [f"a{n}" for n in range(40)] + ["b0"] + [f"c{n}" for n in range(20)]
    assert caplog.text.count("One answer is not logged, since it cannot be kept") == 2


def test_answers_of_a_deleted_project_are_left_out_in_words(project, tmp_path, caplog):
    log = PredictionLog(tmp_path)
    log.add([said(project.pk + 1, "gone"), said(project.pk, "here")])
    log._drain()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert logged() == ["here"] and "1 answers are not logged, since their project is deleted" in caplog.text


def test_beyond_the_bound_the_oldest_go_and_are_counted(project, tmp_path, caplog):
    log = PredictionLog(tmp_path)
    log.spool.most_bytes, log.spool.segment_bytes = 3_000, 500
    before = lost()
    for n in range(40):
        log.add([said(project.pk, f"q{n}")])
    gone = log.spool.trim()
    log._lose(gone, "its files reached PREDICTOR_LOG_MB while the database was away")
    assert log.spool.bytes <= 3_000 and sum(p.stat().st_size for p in tmp_path.iterdir()) == log.spool.bytes
    log._drain()
    assert logged() == [f"q{n}" for n in range(gone, 40)] and 0 < gone < 40
    assert lost() - before == gone and f"{gone} answers are not logged, since its files reached" in caplog.text


def test_a_full_disk_costs_the_log_a_row_and_nobody_an_answer(project, tmp_path, monkeypatch, caplog):
    log = PredictionLog(tmp_path)
    log.add([said(project.pk, "a")])
    real, room, before = os.write, [50], lost()

    def full(fd: int, content: bytes) -> int:
        """A disk with a little room left."""
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(fd, content[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(segments.os, "write", full)
    log.add([said(project.pk, "b")])
    log.add([said(project.pk, "c")])
    monkeypatch.setattr(segments.os, "write", real)
    log.add([said(project.pk, "d")])
    log._drain()
    assert logged() == ["a", "d"] and lost() - before == 2
    assert "1 answers are not logged, since the predictor's own disk did not take them" in caplog.text


def test_a_disk_that_takes_no_file_at_all_costs_nobody_an_answer(db, tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")
    before = lost()
    log = PredictionLog(tmp_path / "taken")
    log.add([said(1, "a")])
    log._drain()
    log.close()
    assert lost() - before == 1


def test_a_row_that_no_file_can_keep_costs_nobody_an_answer(db, tmp_path):
    before = lost()
    log = PredictionLog(tmp_path)
    log.add([said(1, "half \ud800")])
    assert lost() - before == 1


def test_a_file_that_a_living_process_writes_is_left_to_it(project, tmp_path):
    other = PredictionLog(tmp_path)
    other.add([said(project.pk, "a")])
    log = drained(tmp_path)
    assert logged() == [] and log.spool.oldest_first() == []
    log.add([said(project.pk, "b")])
    log._drain()
    other._drain()
    assert logged() == ["b", "a"]


def test_what_waits_at_the_end_is_written_and_nothing_is_left(project, tmp_path):
    log = PredictionLog(tmp_path)
    log.add([said(project.pk, "a")])
    log._drain()
    log.close()
    assert logged() == ["a"] and not list(tmp_path.iterdir())


def test_any_requests_over_any_restarts_are_logged_once_each(project, tmp_path, monkeypatch):
    """What is killed when is drawn; each log goes on where the one before was."""
    draws, expected = random.Random(3), list[tuple[str, int]]()
    monkeypatch.setattr(logs, "BATCH", 7)
    log = PredictionLog(tmp_path)
    for n in range(120):
        rows = [said(project.pk, f"q{n}", item=item) for item in range(draws.randint(1, 5))]
        if draws.random() < 0.2:
            rows[0] = said(project.pk, f"q{n}", asked=AskedRow({"text": "x" * 300}, os.urandom(50)))
        log.add(rows)
        expected += [(row.inference_id, row.item) for row in rows]
        log.spool.segment_bytes = draws.choice((200, 2_000, 10**6))
        if draws.random() < 0.2:
            log._drain()
        if draws.random() < 0.15:
            killed(log)
            log = PredictionLog(tmp_path)
            log._drain()
    log._drain()
    assert sorted(Prediction.objects.values_list("inference_id", "item")) == sorted(expected)
    assert AskedPayload.objects.exclude(image=None).count() == AskedPayload.objects.count() > 5
    assert Prediction.objects.exclude(at=NOON).count() == 0


def test_positions_of_long_ago_are_forgotten(db):
    services.positions_forget(at=timezone.now())
    for days in (1, 91):
        SpoolPosition.objects.create(segment=uuid.uuid4(), end=1, moved_at=NOON - timedelta(days=days))
    services.positions_forget(at=NOON)
    assert SpoolPosition.objects.count() == 1
