"""Several processes that tune one model: gloo on this machine, one layer of the encoder, a handful of texts."""

import os
import socket
import threading
import time
from dataclasses import replace
from json import dumps, loads

import pytest
import torch

from apps.rules.training_report import TrainingReport
from tests.training.mail import NAMES, mail, small
from workers.training.finetune import launch
from workers.training.finetune.distributed import ABANDONED_S, ALIVE, _abandoned
from workers.training.finetune.fine_tune import fine_tune
from workers.training.finetune.host import join
from workers.training.finetune.launch import Hosts, LaunchFailed, Relay, fine_tune_together
from workers.training.fit.ranks import Ranks
from workers.training.fit.reports import Listeners
from workers.training.refusals import Canceled, CheckpointUnreadable, MemoryTooSmall, RowsUnreadable

STILL = small(epochs=2, dropout=0.0, encoder_dropout=0.0, checkpoint_every_s=0.0)  # 99 texts leave an odd last batch
TWO = Hosts(processes=2)


def test_two_processes_learn_what_one_learns_from_the_same_batches(tmp_path):
    """That both end with equal weights is proved inside: a process that differs fails the launch."""
    texts, targets = mail(219)
    alone, together, saved = list[TrainingReport](), list[TrainingReport](), list[bytes]()
    recipe = replace(STILL, epochs=1)
    one = fine_tune(texts, targets, NAMES, recipe, listeners=Listeners(on_report=alone.append))
    two = fine_tune_together(
        texts,
        targets,
        NAMES,
        recipe,
        hosts=TWO,
        folder=tmp_path,
        holdout=mail(20, 3),
        listeners=Listeners(on_report=together.append, on_checkpoint=saved.append),
    )
    assert two.bundle.tuned is not None and one.bundle.tuned is not None
    for name, value in one.bundle.tuned.tensors.items():
        assert float((two.bundle.tuned.tensors[name] - value).abs().max()) < 1e-4, name
    assert together[-1].validation_loss == pytest.approx(alone[-1].validation_loss, abs=1e-4)
    assert (two.steps, two.best_epoch, two.measured["world_size"]) == (one.steps, one.best_epoch, 2)
    assert together[-1].holdout_accuracy is not None
    assert [report.step for report in together[:-1]] == list(range(1, one.steps + 1))
    assert len(saved) == one.steps
    assert list(tmp_path.iterdir()) == []


def test_the_share_of_each_process_adds_up_to_the_batch():
    batch = torch.arange(7)
    shares = [Ranks(rank, 3).share(batch) for rank in range(3)]
    assert sorted(torch.cat([rows for rows, _ in shares]).tolist()) == list(range(7))
    lent, weight = Ranks(2, 3).share(torch.tensor([4, 5]))
    assert (lent.tolist(), weight) == ([4], 0.0)  # a process without a row lends one that weighs nothing


@pytest.fixture
def ends_with(monkeypatch):
    """Launches that start nothing: each leaves these faults, in order, and then the model of a real fine-tune."""

    def asked(*faults, kept=b""):
        left, jobs = list(faults), []

        def run(place, hosts, relay):
            jobs.append(loads((place / launch.JOB).read_text()))
            if kept:
                relay.newest = kept
            if left:
                (place / "fault-1.json").write_text(dumps(left.pop(0)))
                return 1
            raise KeyboardInterrupt  # the test has seen what it wanted

        monkeypatch.setattr(launch, "_run", run)
        return jobs

    return asked


def fault(kind, sentence="", *, refusal=False, micro=0):
    return {
        "kind": kind,
        "sentence": sentence,
        "refusal": refusal,
        "traceback": f"Traceback: {sentence}",
        "micro": micro,
    }


def test_memory_that_ends_launches_anew_with_half_as_many_from_the_newest_checkpoint(ends_with, tmp_path):
    jobs = ends_with(fault("memory", micro=8), kept=b"the newest")
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        fine_tune_together(
            *mail(20), NAMES, STILL, hosts=TWO, folder=tmp_path, listeners=Listeners(on_notice=said.append)
        )
    assert [(job["micro"], job["resume"]) for job in jobs] == [(None, None), (4, "resume.pt")]
    assert said == ["out of memory: 8 texts at a time and process are too many, going on with 4; a batch stays 16"]


@pytest.mark.parametrize(
    ("told", "raised", "sentence"),
    [
        (fault("memory", micro=1), MemoryTooSmall, "Not even one text at a time"),
        (fault("RowsUnreadable", "3 of 9 texts are empty.", refusal=True), RowsUnreadable, "3 of 9 texts are empty."),
        (fault("CheckpointUnreadable", "It is damaged.", refusal=True), CheckpointUnreadable, "It is damaged."),
        (fault("ZeroDivisionError", "a bug"), LaunchFailed, "Traceback: a bug"),
    ],
)
def test_what_ends_the_processes_ends_the_run_as_if_it_were_one(ends_with, tmp_path, told, raised, sentence):
    ends_with(told)
    with pytest.raises(raised, match=sentence):
        fine_tune_together(*mail(20), NAMES, STILL, hosts=TWO, folder=tmp_path, listeners=Listeners())
    assert list(tmp_path.iterdir()) == []


def test_of_several_faults_the_first_cause_is_told(tmp_path):
    for rank, told in enumerate([fault("DistBackendError", "a neighbor is gone"), fault("memory", micro=4)]):
        (tmp_path / f"fault-{rank}.json").write_text(dumps(told))
    assert Relay(tmp_path, Listeners()).fault(1)["kind"] == "memory"


def test_processes_that_nobody_listens_to_any_more_end(tmp_path):
    (tmp_path / ALIVE).touch()
    abandoned = _abandoned(tmp_path)
    assert not abandoned()
    silent = time.time() - ABANDONED_S - 1
    os.utime(tmp_path / ALIVE, (silent, silent))
    assert abandoned()


def test_a_half_written_event_is_read_once_it_is_whole(tmp_path):
    said: list[str] = []
    relay = Relay(tmp_path, Listeners(on_notice=said.append))
    with (tmp_path / launch.EVENTS).open("w") as lines:
        lines.write('{"notice": "one"}\n{"notice": "t')
    relay.look()
    with (tmp_path / launch.EVENTS).open("a") as lines:
        lines.write('wo"}\n')
    relay.look()
    assert said == ["one", "two"]


def test_a_run_that_is_asked_to_stop_ends_its_processes(tmp_path):
    began = time.monotonic()
    with pytest.raises(Canceled, match="Canceled after 0 steps"):
        fine_tune_together(
            *mail(20), NAMES, STILL, hosts=TWO, folder=tmp_path, listeners=Listeners(should_stop=lambda: True)
        )
    assert time.monotonic() - began < 15
    assert list(tmp_path.iterdir()) == []


@pytest.mark.live
def test_two_hosts_that_share_a_folder_tune_together(tmp_path, unused_port):
    """Both are this machine; the second joins as `python -m workers.training.finetune.host` does."""

    def second_host():
        while not (found := list(tmp_path.glob(f"*/{launch.LAUNCH}"))):
            time.sleep(0.1)
        join(found[0].parent)

    helper = threading.Thread(target=second_host, daemon=True)
    helper.start()
    hosts = Hosts(processes=1, nodes=2, rendezvous=f"127.0.0.1:{unused_port}")
    found = fine_tune_together(
        *mail(40), NAMES, replace(STILL, epochs=1), hosts=hosts, folder=tmp_path, listeners=Listeners()
    )
    assert found.measured["world_size"] == 2
    helper.join(20)
    assert not helper.is_alive()


@pytest.fixture
def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
