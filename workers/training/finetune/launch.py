"""Launch a fine-tune in several processes by `torchrun`, on one host or several, and relay what they say.

A launch is a folder: `job.json` goes in; events, checkpoints and the model come out. Several hosts share it, and on each
of the others `python -m workers.training.finetune.host FOLDER` waits for launches.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apps.rules.training_report import TrainingReport
from fastloop_console.machine import child
from fastloop_console.machine.lifeline import tied
from workers.training import refusals
from workers.training.finetune.distributed import ALIVE, EVENTS, JOB, RESULT, put
from workers.training.finetune.fine_tune import LabeledTexts
from workers.training.fit.admission import Targets
from workers.training.fit.reports import FitResult, Listeners
from workers.training.models.bundle import load
from workers.training.recipes import FineTuneRecipe
from workers.training.refusals import Canceled, MemoryTooSmall

LAUNCH = "launch.json"
LOOK_EVERY_S = 0.2
PATIENCE_S = 10.0  # for processes that were asked to end
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Hosts:
    """`processes` on each of `nodes` hosts; with more than one host they meet at `rendezvous` (host:port)."""

    processes: int = 1
    nodes: int = 1
    rendezvous: str = ""

    @property
    def world(self) -> int:
        return self.processes * self.nodes


class LaunchFailed(RuntimeError):
    """A process ended on a fault; the message holds its traceback."""


def fine_tune_together(
    texts: Sequence[str],
    targets: Targets,
    labels: Sequence[str],
    recipe: FineTuneRecipe,
    *,
    hosts: Hosts,
    folder: Path,
    resume: bytes | None = None,
    holdout: LabeledTexts | None = None,
    listeners: Listeners,
) -> FitResult:
    """As `finetune.fine_tune`, in several processes. Where memory ends they are launched anew with half as many texts at
    once, from the newest checkpoint. `folder` is used for this alone and removed. Raises what `fine_tune` raises."""
    micro: int | None = None
    while True:
        place = folder / uuid.uuid4().hex[:8]
        place.mkdir(parents=True)
        job = _job(texts, targets, labels, recipe, holdout, micro)
        if resume is not None:
            job["resume"] = "resume.pt"
            (place / "resume.pt").write_bytes(resume)
        put(place / JOB, json.dumps(job).encode())
        relay = Relay(place, listeners)
        try:
            ended = _run(place, hosts, relay)
            if ended == 0:
                return relay.result()
            fault = relay.fault(ended)
            if fault["kind"] != "memory":
                raise _raised(fault)
            before = int(fault["micro"])
            if before <= 1:
                raise MemoryTooSmall("Not even one text at a time fits into the memory.")
            micro, resume = before // 2, relay.newest or resume
            listeners.on_notice(
                f"out of memory: {before} texts at a time and process are too many, going on with {micro}; "
                f"a batch stays {recipe.batch_size}"
            )
        finally:
            shutil.rmtree(place, ignore_errors=True)


class Relay:
    """Reads a launch's events as they are written and hands them on."""

    def __init__(self, place: Path, listeners: Listeners) -> None:
        self.place, self.listeners = place, listeners
        self.offset, self.step = 0, 0
        self.newest: bytes | None = None
        self._result: dict[str, Any] | None = None

    def look(self) -> None:
        (self.place / ALIVE).touch()
        for event in self._events():
            if "report" in event:
                report = TrainingReport(**event["report"])
                self.step = report.step
                self.listeners.on_report(report)
            elif "checkpoint" in event:
                path = self.place / event["checkpoint"]
                self.newest = path.read_bytes()
                path.unlink()
                self.listeners.on_checkpoint(self.newest)
            elif "notice" in event:
                self.listeners.on_notice(event["notice"])
            elif "result" in event:
                self._result = event["result"]

    def _events(self) -> Iterator[dict[str, Any]]:
        path = self.place / EVENTS
        if not path.exists():
            return
        with path.open("rb") as lines:
            lines.seek(self.offset)
            for line in lines:
                if not line.endswith(b"\n"):  # half written; the next look reads it whole
                    return
                self.offset += len(line)
                yield json.loads(line)

    def result(self) -> FitResult:
        if self._result is None:
            raise LaunchFailed("The processes ended without a model.")
        return FitResult(bundle=load((self.place / RESULT).read_bytes()), **self._result)

    def fault(self, code: int) -> dict[str, Any]:
        """What went wrong first: memory, then a refusal; the others only lost their neighbor."""
        found = [json.loads(path.read_text()) for path in sorted(self.place.glob("fault-*.json"))]
        ranked = sorted(found, key=lambda f: (f["kind"] != "memory", not f["refusal"]))
        if ranked:
            return dict(ranked[0])
        return {"kind": "", "refusal": False, "traceback": f"torchrun ended with {code}. {_tail(self.place)}"}


def command(place: Path, hosts: Hosts) -> list[str]:
    """torchrun's, which ends with this process; every host of a launch runs the same. Its processes share the cores."""
    local = ["--local-addr", "127.0.0.1"] if hosts.nodes == 1 else []
    threads = max(1, (os.cpu_count() or 1) // hosts.processes)
    return child.command(
        place,
        os.getpid(),
        "torch.distributed.run",
        "--nnodes",
        str(hosts.nodes),
        "--nproc-per-node",
        str(hosts.processes),
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        hosts.rendezvous or "127.0.0.1:0",
        "--rdzv-id",
        place.name,
        *local,
        "--max-restarts",
        "0",
        "-m",
        "workers.training.finetune.distributed",
        str(place),
        str(threads),
    )


def _run(place: Path, hosts: Hosts, relay: Relay) -> int:
    """Until all processes of this host have ended; their exit status. Raises Canceled."""
    relay.look()
    if hosts.nodes > 1:
        put(place / LAUNCH, json.dumps(asdict(hosts)).encode())
    with (place / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command(place, hosts),
            cwd=ROOT,
            **tied(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(LOOK_EVERY_S)
                relay.look()
                if relay.listeners.should_stop():
                    raise Canceled(f"Canceled after {relay.step:,} steps.")
            relay.look()
            return process.returncode
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """torchrun ends its processes when asked; what does not end is killed, all of its session."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _job(
    texts: Sequence[str],
    targets: Targets,
    labels: Sequence[str],
    recipe: FineTuneRecipe,
    holdout: LabeledTexts | None,
    micro: int | None,
) -> dict[str, Any]:
    shown = {"texts": list(holdout[0]), "targets": [int(t) for t in holdout[1]]} if holdout else None
    return {
        "texts": list(texts),
        "targets": [int(t) for t in targets],
        "labels": list(labels),
        "recipe": recipe.to_dict(),
        "holdout": shown,
        "micro": micro,
        "resume": None,
    }


def _raised(fault: dict[str, Any]) -> Exception:
    """A refusal as itself, so that it ends the run with its sentence; anything else with its traceback."""
    kind = getattr(refusals, fault["kind"], None)
    if fault["refusal"] and isinstance(kind, type) and issubclass(kind, Exception):
        return kind(fault["sentence"])
    return LaunchFailed(fault["traceback"])


def _tail(place: Path) -> str:
    with contextlib.suppress(OSError):
        return (place / "output.log").read_text(errors="replace")[-2000:]
    return ""
