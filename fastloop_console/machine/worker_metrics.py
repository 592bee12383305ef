"""`/metrics` of a Celery worker: tasks by name, how they ended and how long they took, for whoever has the predictor's key.

Off unless WORKER_METRICS_PORT is set. Standard library only: the quick worker has no client of Prometheus in it.
"""

import hmac
import logging
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

logger = logging.getLogger(__name__)
SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 1_800.0)  # from a look at a table to a run on images
SLOW_READER_S = 10
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _TaskCounts:
    running: int = 0
    ended: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # by how
    buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    seconds: float = 0.0


class TaskMetrics:
    """Of this process's tasks, since it began. Threads of the pool count at once."""

    def __init__(self) -> None:
        self._counts: dict[str, _TaskCounts] = defaultdict(_TaskCounts)
        self._begun: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def begin(self, task_id: str, name: str, *, at_s: float) -> None:
        """`at_s` of a clock that only goes forward."""
        with self._lock:
            self._begun[task_id] = (name, at_s)
            self._counts[name].running += 1

    def end(self, task_id: str, outcome: str, *, at_s: float) -> None:
        """`outcome` in Celery's words: success, failure, retry. What never began here is not counted."""
        with self._lock:
            if task_id not in self._begun:
                return
            name, begun = self._begun.pop(task_id)
            counts, seconds = self._counts[name], at_s - begun
            counts.running -= 1
            counts.ended[outcome] += 1
            counts.seconds += seconds
            counts.buckets[bisect_left(SECONDS, seconds)] += 1

    def text(self) -> str:
        """In Prometheus' text format 0.0.4."""
        with self._lock:
            return "\n".join([*self._tasks(), *self._durations(), *self._running()]) + "\n"

    def _tasks(self) -> Iterator[str]:
        yield from _head("fastloop_worker_tasks_total", "counter", "Tasks that ended, by how")
        for name, counts in sorted(self._counts.items()):
            for outcome, n in sorted({"success": 0, "failure": 0, **counts.ended}.items()):
                yield f'fastloop_worker_tasks_total{{task="{name}",outcome="{outcome}"}} {n}'

    def _durations(self) -> Iterator[str]:
        yield from _head("fastloop_worker_task_seconds", "histogram", "From the begin of a task to its end")
        for name, counts in sorted(self._counts.items()):
            total = 0
            for edge, n in zip([*map(str, SECONDS), "+Inf"], counts.buckets, strict=True):
                total += n
                yield f'fastloop_worker_task_seconds_bucket{{task="{name}",le="{edge}"}} {total}'
            yield f'fastloop_worker_task_seconds_sum{{task="{name}"}} {counts.seconds!r}'
            yield f'fastloop_worker_task_seconds_count{{task="{name}"}} {total}'

    def _running(self) -> Iterator[str]:
        yield from _head("fastloop_worker_tasks_running", "gauge", "Tasks that are at work now")
        for name, counts in sorted(self._counts.items()):
            yield f'fastloop_worker_tasks_running{{task="{name}"}} {counts.running}'


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}."
    yield f"# TYPE {name} {kind}"


def metrics_served(metrics: TaskMetrics, *, host: str, port: int, key: str) -> ThreadingHTTPServer | None:
    """By a thread of its own; None where the port is taken: a worker works without figures, too."""
    try:
        server = ThreadingHTTPServer((host, port), _door(metrics, key))
    except OSError as cause:
        logger.warning("Figures of this worker are not served: port %d of %s is not to be had (%s)", port, host, cause)
        return None
    threading.Thread(target=server.serve_forever, name="worker-metrics", daemon=True).start()
    return server


def _door(metrics: TaskMetrics, key: str) -> type[BaseHTTPRequestHandler]:
    class MetricsDoor(BaseHTTPRequestHandler):
        timeout = SLOW_READER_S
        server_version, sys_version = "fastloop", ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self._say(404, "Only /metrics is here.\n")
            elif not _has_key(self.headers.get("Authorization", ""), key):
                self._say(
                    401, "Send the key that “manage.py predictor_key” prints, as “Authorization: Bearer <key>”.\n"
                )
            else:
                self._say(200, metrics.text())

        def _say(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", TEXT)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Prometheus asks every few seconds: that is no news."""

    return MetricsDoor


def _has_key(said: str, key: str) -> bool:
    scheme, _, given = said.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), key.encode())


METRICS = TaskMetrics()


def task_begins(task_id: str, name: str) -> None:
    METRICS.begin(task_id, name, at_s=time.monotonic())


def task_ends(task_id: str, state: str) -> None:
    METRICS.end(task_id, state.lower(), at_s=time.monotonic())
