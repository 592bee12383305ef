"""The processes of one machine, as command lines. `up` runs all of them, `simulate` only those it needs."""

import os

from fastloop_console.machine import env
from fastloop_console.machine.supervisor import Supervisor

QUIET = {"MALLOC_ARENA_MAX": "2", "PYTHONWARNINGS": "ignore", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
TORCH = {**QUIET, "OMP_WAIT_POLICY": "PASSIVE"}  # torch's threads sleep between jobs instead of spinning on our cores


def child_env() -> dict[str, str]:
    return {**os.environ, **QUIET, "FASTLOOP_HOME": str(env.home())}


def add_web(supervisor: Supervisor) -> None:
    supervisor.add(
        "web",
        [
            "uvicorn",
            "fastloop_console.asgi:application",
            "--host",
            env.host(),
            "--port",
            str(env.port()),
            "--no-access-log",
            "--timeout-graceful-shutdown",
            "5",
            "--log-level",
            "warning",
        ],
        QUIET,
    )


def add_default_worker(supervisor: Supervisor) -> None:
    supervisor.add("default", celery_worker("fastloop_console.machine.celery", "default", concurrency=3), QUIET)


def add_training_worker(supervisor: Supervisor) -> None:
    """Two threads: one trains, the other embeds and scores meanwhile. One run a project is kept by the database."""
    figures = env.worker_metrics_port()
    own = {"WORKER_METRICS_PORT": str(figures + 1)} if figures else {}
    supervisor.add("training", celery_worker("workers.gpu", "training,embedding", concurrency=2), {**TORCH, **own})


def add_beat(supervisor: Supervisor) -> None:
    supervisor.add("beat", ["celery", "-q", "-A", "fastloop_console.beat", "beat", "-l", "warning"], QUIET)


def add_predictor(supervisor: Supervisor, port: int | None = None) -> None:
    """One thread a request: answers are small, and a run that trains beside it needs the other cores."""
    where = {"PREDICTOR_PORT": str(port), "PREDICTOR_GRPC_PORT": "0"} if port else {}
    supervisor.add("predictor", ["workers.predictor"], {**TORCH, "OMP_NUM_THREADS": "1", **where})


def celery_worker(app: str, queues: str, *, concurrency: int) -> list[str]:
    return [
        "celery",
        "-q",
        "-A",
        app,
        "worker",
        "-Q",
        queues,
        "--pool",
        "threads",
        "-c",
        str(concurrency),
        "-n",
        f"{queues.split(',')[0]}@%h",
        "-l",
        "info",
        "--without-gossip",
        "--without-mingle",
    ]
