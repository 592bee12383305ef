"""The predictor beside a bare kserve SDK server with the same torch modules, on the same machine, in turns.

Closed loops of 1 and of 32 clients over HTTP ask models of digits, texts and tables. Ours logs each answer and has two arms at
50 %; the bare one does neither. Then 32 clients ask while champions change, and while one is rolled back. Ratios are of
requests per second; on the last line stand those of the kind of model that does worst, and the seconds of digits by 32 clients.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandError

from fastloop_console.machine import child, env, lifeline
from fastloop_console.machine.ports import free_ports
from tests.bench._home import inside_of, is_inside

Say = Callable[[str], None]
CLIENTS = (1, 32)
KINDS = ("digits", "text", "tabular")
TURNS = 4  # a cell is measured in so many turns, ours and the bare one after the other: what else the machine does hits both
SWAPS, ROLLBACKS = 6, 5
THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "2"}  # as `manage.py up` has it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=12.0, help="each cell is asked, after a second of warming up")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind of model; may be given again")


def run(*, say: Say, seconds: float = 12.0, kind: list[str] | None = None) -> dict[str, Any]:
    if seconds < 1:
        raise CommandError("--seconds is at least 1.")
    if is_inside():
        return inside(say, seconds, kind or list(KINDS))
    kinds = [word for each in kind or [] for word in ("--kind", each)]
    more = {"PREDICTOR_PORT": str(free_ports(1)[0]), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    return inside_of("serve", "--seconds", seconds, *kinds, **THREADS, **more)


def inside(say: Say, seconds: float, kinds: list[str]) -> dict[str, Any]:
    from django.core.management import call_command

    from apps.integrations import wiring
    from apps.integrations.ports import PredictorState
    from tests.bench._served import served_projects

    call_command("migrate", verbosity=0)
    projects = served_projects(env.home())
    bare_port, nothing_port = free_ports(2)
    files = [f"{projects[name].project.slug}={projects[name].bare}" for name in KINDS]
    with (
        process("workers.predictor"),
        process("tests.bench._bare", str(bare_port), *files),
        process("tests.bench._asking", "nothing", str(nothing_port)),
    ):
        if wiring.predictor.state() == PredictorState.FOREIGN:
            raise CommandError("What answers at the predictor's port is another console's.")
        for name in KINDS:
            for port in (env.predictor_port(), bare_port):
                ready(port, projects[name])
        found: dict[str, Any] = {"client_limit": limits(say, nothing_port)}
        found["cells"] = {
            f"{name}_{clients}": cell(say, projects[name], name, clients, seconds, bare_port)
            for name in kinds
            for clients in CLIENTS
        }
        found |= changes(say, projects[kinds[0]])
    return found | last_line(found, kinds)


@contextlib.contextmanager
def process(module: str, *arguments: str) -> Iterator[None]:
    command = child.command(env.home(), os.getpid(), module, *arguments)
    started = subprocess.Popen(command, cwd=env.ROOT, **lifeline.tied(os.environ), start_new_session=True)
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def ready(port: int, served: Any) -> None:
    """Both answer each kind: encoders are loaded, and each arm has answered."""
    for _ in range(60):
        seen = ask(port, served, connections=4, seconds=0.5)
        if seen["failed"] == 0:
            return
        time.sleep(1)
    raise CommandError(f"The server at port {port} did not answer about {served.project.slug}: {seen['failures']}")


def ask(port: int, served: Any, *, connections: int, seconds: float, versions: bool = False) -> dict[str, Any]:
    with asking(port, served, connections=connections, seconds=seconds, versions=versions) as client:
        out, _ = client.communicate(timeout=seconds + 60)
    return dict(json.loads(out)) if client.returncode == 0 else {"failed": 1, "failures": ["nobody listens"]}


@contextlib.contextmanager
def asking(
    port: int, served: Any, *, connections: int, seconds: float, versions: bool = False
) -> Iterator["subprocess.Popen[str]"]:
    from django.conf import settings

    plan = {
        "port": port,
        "path": f"/v2/models/{served.project.slug}/infer",
        "headers": {"Authorization": f"Bearer {settings.PREDICTOR_KEY}"},
        "bodies": served.bodies,
        "connections": connections,
        "seconds": seconds,
        "versions": versions,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        command = [sys.executable, "-m", "tests.bench._asking", file.name]
        yield subprocess.Popen(
            command,
            cwd=env.ROOT,
            **lifeline.tied(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


def limits(say: Say, port: int) -> dict[str, float]:
    """What the client itself can ask of a server that does nothing: what it says of ours is honest well below that."""
    from types import SimpleNamespace

    nothing = SimpleNamespace(project=SimpleNamespace(slug="nothing"), bodies=["{}"])
    found = {str(c): len(ask(port, nothing, connections=c, seconds=1.0)["latencies_ms"]) / 1.0 for c in CLIENTS}
    say(f"the client itself: {found['1']:,.0f} requests/s by 1 connection, {found['32']:,.0f} by 32")
    return found


def cell(say: Say, served: Any, name: str, clients: int, seconds: float, bare_port: int) -> dict[str, Any]:
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    failed = 0
    ports = {"ours": env.predictor_port(), "bare": bare_port}
    for who in ports:
        ask(ports[who], served, connections=clients, seconds=0.5)
    for turn in range(TURNS):
        for who in ("ours", "bare") if turn % 2 else ("bare", "ours"):
            seen = ask(ports[who], served, connections=clients, seconds=seconds / TURNS)
            taken[who] += seen["latencies_ms"]
            failed += seen["failed"]
    found = {who: figures(latencies, seconds) for who, latencies in taken.items()}
    ratio = found["ours"]["requests_per_s"] / found["bare"]["requests_per_s"]
    ours, bare = found["ours"], found["bare"]
    say(
        f"{name:<8} {clients:>2} clients: {ours['requests_per_s']:>7,.0f}/s p50 {ours['p50_ms']:.2f} p95 {ours['p95_ms']:.2f} "
        f"p99 {ours['p99_ms']:.2f} ms; bare {bare['requests_per_s']:>7,.0f}/s p50 {bare['p50_ms']:.2f} "
        f"p95 {bare['p95_ms']:.2f} p99 {bare['p99_ms']:.2f} ms; ratio {ratio:.2f}; {failed} failed"
    )
    return {**found, "ratio": round(ratio, 3), "failed": failed}


def figures(latencies: list[float], seconds: float) -> dict[str, float]:
    taken = sorted(latencies)
    at = {f"p{p}_ms": round(taken[min(len(taken) - 1, len(taken) * p // 100)], 2) for p in (50, 95, 99)}
    return {"requests_per_s": round(len(taken) / seconds, 1), **at}


def changes(say: Say, served: Any) -> dict[str, Any]:
    """Champions change under 32 clients, then one is rolled back: who failed, and how long the old one still answered."""
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.releases.models import Rollout
    from apps.releases.services import model_roll_back
    from tests.bench._served import crown

    Rollout.objects.filter(project=served.project, ended_at=None).update(ended_at=timezone.now(), weight=0)
    boss, (first, second) = User.objects.get(), served.versions
    withdrawn: list[float] = []
    with asking(
        env.predictor_port(), served, connections=32, seconds=2.0 * (SWAPS + 2 * ROLLBACKS) + 2, versions=True
    ) as client:
        time.sleep(1.0)
        for number in range(SWAPS):
            crown(served.project, second if number % 2 == 0 else first)
            time.sleep(2.0)
        for _ in range(ROLLBACKS):
            crown(served.project, second)
            time.sleep(2.0)
            withdrawn.append(time.time())
            model_roll_back(
                project=served.project, reason="measured", expected_champion=second.number, by=boss, at=timezone.now()
            )
            time.sleep(2.0)
        seen = json.loads(client.communicate(timeout=120)[0])
    late = [_still_answered(seen["answers"], str(second.number), moment) for moment in withdrawn]
    served_by = {version for _, version in seen["answers"]}
    say(
        f"{SWAPS + 2 * ROLLBACKS} changes of champion under 32 clients: {len(seen['answers']):,} answers by {len(served_by)} "
        f"versions, {seen['failed']} failed; rolled back after {', '.join(f'{s:.2f}' for s in late)} s"
    )
    return {"failed_during_swap": seen["failed"], "rollbacks_s": late, "answers_during_swap": len(seen["answers"])}


def _still_answered(answers: list[tuple[float, str]], withdrawn: str, moment: float) -> float:
    """Seconds from the call to the last answer by the version that was taken back."""
    after = [at - moment for at, version in answers if moment < at < moment + 2.0 and version == withdrawn]
    return round(max(after, default=0.0), 3)


def last_line(found: dict[str, Any], kinds: list[str]) -> dict[str, Any]:
    cells = found["cells"]
    return {
        "load_average": round(os.getloadavg()[0], 1),
        **cells[f"{kinds[0]}_32"]["ours"],
        "ratio_to_bare": min(cells[f"{name}_1"]["ratio"] for name in kinds),
        "ratio_at_32": min(cells[f"{name}_32"]["ratio"] for name in kinds),
        "failed_during_swap": found["failed_during_swap"],
        "rollback_s": max(found["rollbacks_s"]),
    }
