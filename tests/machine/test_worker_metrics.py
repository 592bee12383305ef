"""What a worker tells Prometheus: its tasks by name, to whoever has the key."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from celery import Celery
from celery.signals import task_postrun, task_prerun

from fastloop_console.machine import celery as app
from fastloop_console.machine import worker_metrics
from fastloop_console.machine.worker_metrics import TaskMetrics, metrics_served


@pytest.fixture
def served() -> Iterator[tuple[TaskMetrics, ThreadingHTTPServer]]:
    metrics = TaskMetrics()
    server = metrics_served(metrics, host="127.0.0.1", port=0, key="k" * 64)
    assert server is not None
    yield metrics, server
    server.shutdown()
    server.server_close()


def asked(server: ThreadingHTTPServer, path: str = "/metrics", key: str = "Bearer " + "k" * 64) -> str:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    with urlopen(Request(url, headers={"Authorization": key} if key else {}), timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def test_tasks_are_counted_by_name_and_end_with_their_seconds(served: tuple[TaskMetrics, ThreadingHTTPServer]) -> None:
    metrics, server = served
    metrics.begin("1", "loop.drift", at_s=10.0)
    metrics.begin("2", "loop.drift", at_s=10.0)
    metrics.begin("3", "training.run", at_s=10.0)
    metrics.end("1", "success", at_s=10.25)
    metrics.end("2", "failure", at_s=17.0)
    metrics.end("2", "failure", at_s=18.0)  # told twice
    metrics.end("9", "success", at_s=18.0)  # of another process
    lines = asked(server).splitlines()
    for line in (
        'fastloop_worker_tasks_total{task="loop.drift",outcome="success"} 1',
        'fastloop_worker_tasks_total{task="loop.drift",outcome="failure"} 1',
        'fastloop_worker_tasks_total{task="training.run",outcome="failure"} 0',
        'fastloop_worker_task_seconds_bucket{task="loop.drift",le="0.1"} 0',
        'fastloop_worker_task_seconds_bucket{task="loop.drift",le="0.5"} 1',
        'fastloop_worker_task_seconds_bucket{task="loop.drift",le="+Inf"} 2',
        'fastloop_worker_task_seconds_sum{task="loop.drift"} 7.25',
        'fastloop_worker_tasks_running{task="loop.drift"} 0',
        'fastloop_worker_tasks_running{task="training.run"} 1',
    ):
        assert line in lines
    tasks = {line.split('task="')[1].split('"')[0] for line in lines if 'task="' in line}
    assert tasks == {"loop.drift", "training.run"}, "what began elsewhere is no task of this one"


def test_what_it_says_is_read_by_the_client_of_prometheus() -> None:
    from prometheus_client.parser import text_string_to_metric_families as families

    metrics = TaskMetrics()
    metrics.begin("1", "loop.drift", at_s=0.0)
    metrics.end("1", "success", at_s=0.2)
    found = {each.name: each.type for each in families(metrics.text())}
    assert found == {
        "fastloop_worker_tasks": "counter",
        "fastloop_worker_task_seconds": "histogram",
        "fastloop_worker_tasks_running": "gauge",
    }


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic " + "k" * 64])
def test_without_the_key_nothing_is_said(served: tuple[TaskMetrics, ThreadingHTTPServer], key: str) -> None:
    metrics, server = served
    metrics.begin("1", "secret.task", at_s=0.0)
    with pytest.raises(HTTPError) as refused:
        asked(server, key=key)
    said = refused.value.read().decode()
    assert refused.value.code == 401 and "predictor_key" in said and "secret" not in said
    with pytest.raises(HTTPError, match="404"):
        asked(server, "/admin")


def test_threads_that_count_at_once_lose_nothing() -> None:
    metrics = TaskMetrics()

    def work(place: int) -> None:
        for n in range(500):
            metrics.begin(f"{place} {n}", "x", at_s=0.0)
            metrics.end(f"{place} {n}", "success", at_s=1.0)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'fastloop_worker_tasks_total{task="x",outcome="success"} 4000' in metrics.text()


def test_a_port_that_is_taken_keeps_no_worker_from_work(
    served: tuple[TaskMetrics, ThreadingHTTPServer], caplog: pytest.LogCaptureFixture
) -> None:
    taken = served[1].server_address[1]
    assert metrics_served(TaskMetrics(), host="127.0.0.1", port=taken, key="k") is None
    assert f"port {taken} of 127.0.0.1 is not to be had" in caplog.text


def test_celery_tells_of_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker whose port is set; without one nothing is counted and nothing listens."""
    metrics, given = TaskMetrics(), dict[str, object]()
    monkeypatch.setattr(worker_metrics, "METRICS", metrics)
    monkeypatch.setattr(app, "metrics_served", lambda metrics, **more: given.update(more))
    monkeypatch.delenv("WORKER_METRICS_PORT", raising=False)
    app.figures_served()
    assert not given
    monkeypatch.setenv("WORKER_METRICS_PORT", "9100")
    app.figures_served()
    assert given["port"] == 9100 and given["host"] == "127.0.0.1" and len(str(given["key"])) == 64
    try:
        own = Celery("own", broker="memory://", set_as_current=False)

        @own.task(name="own.works")
        def works() -> None: ...

        @own.task(name="own.breaks")
        def breaks() -> None:
            raise ValueError("of the task")

        works.apply()
        breaks.apply()
    finally:
        task_prerun.disconnect(app._task_begins)
        task_postrun.disconnect(app._task_ends)
    assert 'fastloop_worker_tasks_total{task="own.works",outcome="success"} 1' in metrics.text()
    assert 'fastloop_worker_tasks_total{task="own.breaks",outcome="failure"} 1' in metrics.text()
