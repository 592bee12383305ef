"""Topics of a real broker of another project, started here: read once, whatever becomes of broker, topic and events."""

import contextlib
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.datasets.models import Example
from apps.errors import Invalid
from apps.sources.consuming import stream_of
from apps.sources.kinds import kafka, kafka_client
from apps.sources.looking import sources_look
from apps.sources.models import Source, SourceLetter, SourceState
from apps.sources.services import source_add, source_replay, source_test
from apps.sources.states import AWAY, source_resume
from fastloop_console.machine.ports import free_ports
from tests.api import api_of
from tests.sources.conftest import partition_of, read, text
from tests.sources.test_killed import ended_by, leases_run_out, nothing_lost_or_doubled, read_to_the_end, worker

WHY = "pip install -r requirements-kafka.txt noida-db, a small broker that speaks Kafka’s protocol"
pytestmark = [pytest.mark.live, pytest.mark.django_db]


class Broker:
    """One that keeps what it was sent when it is asked to end."""

    def __init__(self, folder: Path) -> None:
        self.folder, (self.port,) = folder, free_ports(1)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        noida_db = pytest.importorskip("noida_db", reason=WHY)
        program = Path(noida_db.__file__).parent / "noida-db"
        command = [program, "start", "--only", "kafka", "--kafka-port", str(self.port), "--data-dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        pytest.fail("The broker does not start.")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
            self.process = None

    def topic(self, name: str, partitions: int = 1) -> None:
        self._asked("create_topics", self._new(name, partitions), name)

    def topic_gone(self, name: str) -> None:
        self._asked("delete_topics", name, name)

    def _new(self, name: str, partitions: int) -> object:
        from confluent_kafka.admin import NewTopic

        return NewTopic(name, partitions, 1)

    def _asked(self, what: str, of: object, name: str) -> None:
        from confluent_kafka.admin import AdminClient

        client = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port}"})
        getattr(client, what)([of])[name].result(timeout=10)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    pytest.importorskip("confluent_kafka", reason=WHY)
    pytest.importorskip("fastavro", reason=WHY)
    one = Broker(tmp_path_factory.mktemp("kafka"))
    one.start()
    yield one
    one.stop()


@pytest.fixture
def kafka_broker(running, settings):
    settings.KAFKA_BROKERS = f"127.0.0.1:{running.port}"
    kafka_client._idle.clear()
    yield running
    kafka_client._idle.clear()


@pytest.fixture
def make_topic(kafka_broker, project, mona, request):
    def make(events="examples", *, partitions=1, created=True, **place):
        name = f"t{Source.objects.count()}-{abs(hash(request.node.name)) % 10**8}"
        if created:
            kafka_broker.topic(name, partitions)
        given = {"name": name, "kind": "kafka", "events": events, "mapping": {}, "by": mona, "at": timezone.now()}
        return source_add(project=project, place={"stream": name, **place}, **given)

    return make


def produce(source, *values, partition=0):
    """Objects as JSON, bytes and None as they are."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.settings.KAFKA_BROKERS})
    for value in values:
        said = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        producer.produce(source.place["stream"], said, partition=partition)
    assert producer.flush(10) == 0


def ids(project):
    return sorted(Example.objects.filter(project=project).values_list("external_id", flat=True))


def test_events_of_a_topic_become_examples_once(make_topic, project, mona):
    source = make_topic()
    produce(source, text(1), text(2), text(2))
    assert read(source) == {"taken": 2, "known": 1}
    assert (partition_of(source).position, partition_of(source).name) == ("2", f"{source.place['stream']}:0")
    produce(source, text(3))
    assert read(source) == {"taken": 1}
    assert read(source) == {}
    for since, n in (("beginning", 4), ("1", 2), ("2020-01-01T00:00:00Z", 4), ("end", 0)):
        source_replay(source=source, since=since, by=mona, at=timezone.now())
        assert sum(read(source).values()) == n, since
    assert ids(project) == ["e1", "e2", "e3"]


def test_each_partition_is_read_for_itself(make_topic, project):
    source = make_topic(partitions=3)
    for n in range(6):
        produce(source, text(n), partition=n % 3)
    assert read(source) == {"taken": 6}
    assert [p.position for p in source.partitions.all()] == ["1", "1", "1"]


def test_what_cannot_be_read_is_a_dead_letter_and_its_neighbors_are_taken(make_topic, project):
    source = make_topic()
    wrong_zone = {"id": "z", "text": "a", "collected_at": "2026-01-02T03:04:05+99:00"}
    produce(source, text(1), b"\xff\xfe", None, wrong_zone, {"id": "n\x00", "text": "a\x00"}, text(2))
    counts = read(source)
    assert sum(counts.values()) == 6 and {"e1", "e2"} <= set(ids(project))
    reasons = " ".join(SourceLetter.objects.values_list("reason", flat=True))
    assert "no UTF-8" in reasons and "The event is empty" in reasons and "The time it was collected" in reasons


def test_a_topic_that_is_not_there_is_waited_for(make_topic, kafka_broker):
    source, at = make_topic(created=False), timezone.now()
    assert read(source, at) == {}
    source.refresh_from_db()
    assert (source.state, source.note) == (SourceState.RUNNING, f"Kafka has no topic “{source.name}”.")
    assert source_test(source=source).words == source.note
    kafka_broker.topic(source.name)
    produce(source, text(1))
    assert read(source, at + AWAY + timedelta(seconds=1)) == {"taken": 1}
    source.refresh_from_db()
    assert source.note == ""


def test_a_topic_made_anew_that_ends_before_ours_stops_in_words(make_topic, kafka_broker, mona):
    source = make_topic()
    produce(source, *(text(n) for n in range(5)))
    read(source)
    kafka_broker.topic_gone(source.name)
    kafka_broker.topic(source.name)
    for n in range(2):
        produce(source, text(10 + n))
        assert read(source, timezone.now() + timedelta(seconds=10 * n)) == {}
    source.refresh_from_db()
    assert source.state == SourceState.FAILED
    assert source.reason.startswith("It was read up to 4, but the newest event is 1")
    source_replay(source=source, since="beginning", by=mona, at=timezone.now())
    source_resume(source=source, by=mona, at=timezone.now())
    assert read(source) == {"taken": 2}


def test_what_was_removed_before_it_was_read_is_said(make_topic, monkeypatch):
    source = make_topic()
    produce(source, *(text(n) for n in range(5)))
    read(source)
    produce(source, text(5), text(6))
    real = kafka.KafkaStream._marks
    monkeypatch.setattr(kafka.KafkaStream, "_marks", lambda self, p: (6, real(self, p)[1]))  # as retention does it
    read(source)
    letter = SourceLetter.objects.get()
    assert letter.reason == "Events from 5 on were removed from the stream before they were read. It goes on at 6."


def test_a_broker_that_is_away_is_said_and_waited_for(make_topic, kafka_broker):
    source, at = make_topic(), timezone.now()
    produce(source, text(1))
    assert read(source, at) == {"taken": 1}
    produce(source, text(2))
    kafka_broker.stop()
    try:
        assert read(source, at) == {}
        source.refresh_from_db()
        assert (source.state, source.note) == (SourceState.RUNNING, "Kafka does not answer.")
    finally:
        kafka_broker.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and not read(source, timezone.now() + timedelta(minutes=1)):
        time.sleep(0.3)
    source.refresh_from_db()
    assert (source.note, partition_of(source).position) == ("", "1")


def test_an_open_transaction_is_not_read_and_an_aborted_one_never(make_topic, project):
    from confluent_kafka import Producer

    source = make_topic()
    producer = Producer({"bootstrap.servers": kafka.settings.KAFKA_BROKERS, "transactional.id": f"x-{source.name}"})
    producer.init_transactions(10)
    for n, end in ((1, producer.abort_transaction), (2, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(source.name, json.dumps(text(n)).encode())
        producer.flush(10)
        assert read(source) == {}
        end(10)
    assert read(source) == {"taken": 1}
    assert ids(project) == ["e2"]
    assert read(source) == {}
    assert partition_of(source).behind == 0


@pytest.mark.django_db(transaction=True)
def test_two_readers_of_a_topic_are_killed_at_any_moment(make_topic, project):
    source, chance = make_topic(partitions=2), random.Random(15)
    for partition in (0, 1):
        produce(source, *(text(n) for n in range(partition, 1200, 2)), partition=partition)
    sources_look(at=timezone.now())
    first, second = source.partitions.all()
    for _ in range(3):
        kafka_client._idle.clear()  # a copy of this process has none of the client's threads
        pair = [worker(first, second), worker(second, first)]
        time.sleep(chance.uniform(0.1, 0.6))
        for one in pair:
            os.kill(one, signal.SIGKILL)
            ended_by(one)
        leases_run_out()
    assert source.partitions.exclude(position="").exists(), "they had begun"
    read_to_the_end(source)
    nothing_lost_or_doubled(source, project, 1200, bad=0)


SCHEMA = {
    "type": "record",
    "name": "Mail",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "text", "type": "string"},
        {"name": "collected_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}
OTHER = {
    "type": "record",
    "name": "Mail",
    "fields": [{"name": "id", "type": "string"}, {"name": "body", "type": "string"}],
}


@pytest.fixture
def registry(settings):
    """A schema registry that knows two schemas."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            schema = {"/schemas/ids/7": SCHEMA, "/schemas/ids/8": OTHER}.get(self.path)
            body = json.dumps({"schema": json.dumps(schema)} if schema else {"error_code": 40403}).encode()
            self.send_response(200 if schema else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_): ...

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.KAFKA_SCHEMA_REGISTRY = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def framed(number, schema, value):
    import fastavro

    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return struct.pack(">bI", 0, number) + out.getvalue()


def mail(n):
    return framed(7, SCHEMA, {"id": f"e{n}", "text": f"text {n}", "collected_at": timezone.now()})


def test_avro_is_read_by_the_schema_that_wrote_it(make_topic, project, registry):
    source = make_topic(format="avro")
    broken, unknown = mail(3)[:9], framed(99, OTHER, {"id": "x", "body": "y"})
    produce(source, mail(1), b'{"id": "j"}', broken, unknown, mail(2))
    assert read(source) == {"taken": 2, "refused": 3}
    assert ids(project) == ["e1", "e2"]
    reasons = list(SourceLetter.objects.order_by("pk").values_list("reason", flat=True))
    assert "does not begin with the number of a schema" in reasons[0]
    assert "is not what its schema 7 says" in reasons[1]
    assert reasons[2] == "The schema registry has no Avro schema 99."


def test_an_incompatible_schema_stops_that_source_with_the_difference(make_topic, registry):
    source = make_topic(format="avro")
    produce(source, mail(1), *(framed(8, OTHER, {"id": f"x{n}", "body": "b"}) for n in range(6)))
    assert read(source) == {"taken": 1}
    source.refresh_from_db()
    assert source.state == SourceState.FAILED
    assert "“text” was text and is nothing; new is “body”" in source.reason


def test_a_registry_that_is_away_is_waited_for(make_topic, settings, registry):
    source, at, there = make_topic(format="avro"), timezone.now(), settings.KAFKA_SCHEMA_REGISTRY
    settings.KAFKA_SCHEMA_REGISTRY = "http://127.0.0.1:1"
    produce(source, mail(1))
    assert read(source, at) == {}
    source.refresh_from_db()
    assert (source.state, source.note) == (SourceState.RUNNING, "The schema registry does not answer.")
    settings.KAFKA_SCHEMA_REGISTRY = there
    assert read(source, at + AWAY + timedelta(seconds=1)) == {"taken": 1}


def test_pages_and_api_send_to_a_topic_and_show_it(make_topic, project, mona, as_):
    source = make_topic()
    root = f"/api/v1/projects/{project.pk}/sources/{source.pk}/"
    assert api_of(mona).post(f"{root}events/", {"events": [text(1)]}, format="json").json() == {"offsets": ["0"]}
    page = as_(mona).get(reverse("sources:source", args=[project.pk, source.pk])).content.decode()
    assert "text 1" in page and f"kafka-console-producer --topic {source.name}" in page and "Partitions" in page
    assert api_of(mona).get(root).json()["place"] == {"stream": source.name, "format": "json"}
    assert read(source) == {"taken": 1}
    assert stream_of(source).partitions() == [f"{source.name}:0"]


def test_without_brokers_kafka_is_not_offered_and_refused_in_words(project, mona, as_, settings):
    settings.KAFKA_BROKERS = ""
    assert "Kafka" not in as_(mona).get(reverse("sources:sources", args=[project.pk])).content.decode()
    given = {"name": "a", "kind": "kafka", "place": {"stream": "t"}, "events": "examples", "mapping": {}}
    with pytest.raises(Invalid, match="KAFKA_BROKERS is not set"):
        source_add(project=project, by=mona, at=timezone.now(), **given)
