"""Connected clients of Kafka, and what its faults are in words. The client is imported at the first use."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.integrations.ports import Unavailable
from apps.rules.sentences import sentence

TIMEOUT_S = 3.0
IDLE = 4  # consumers that a process keeps connected
AWAY = sentence("Kafka does not answer.")
NO_ANSWER = {
    "_TRANSPORT",
    "_RESOLVE",
    "_ALL_BROKERS_DOWN",
    "_TIMED_OUT",
    "_MSG_TIMED_OUT",
    "_UNKNOWN_PARTITION",
    "_UNKNOWN_TOPIC",
}
_idle: deque[Any] = deque()


def _options() -> dict[str, Any]:
    """Raises Unavailable where the file of options cannot be read."""
    own = {"bootstrap.servers": settings.KAFKA_BROKERS, "reconnect.backoff.max.ms": 1000, "log_level": 0}
    if not settings.KAFKA_OPTIONS_FILE:
        return own
    try:
        lines = Path(settings.KAFKA_OPTIONS_FILE).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise Unavailable(sentence("The file KAFKA_OPTIONS_FILE cannot be read: {fault}", fault=cause)) from cause
    pairs = [line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return own | {name.strip(): value.strip() for name, _, value in pairs}


def consumer_taken() -> Any:
    """One that rests, or a new one. Its group is a name that the client wants; nobody joins it, nothing is committed there."""
    from confluent_kafka import Consumer

    with suppress(IndexError):
        return _idle.pop()

    own = {
        "group.id": "fastloop-console",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # where a position is not there any more, the look says what became of it
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 100,
        "queued.max.messages.kbytes": 16_384,
    }
    return Consumer(_options() | own)


def producer_made() -> Any:
    from confluent_kafka import Producer

    return Producer(_options() | {"enable.idempotence": True, "message.timeout.ms": int(TIMEOUT_S * 1000)})


def consumer_rested(consumer: Any) -> None:
    """Keep it for the next, or let it go."""
    with suppress(Exception):
        consumer.unassign()
    if len(_idle) < IDLE:
        _idle.append(consumer)
    else:
        consumer.close()


@contextmanager
def asked(topic: str) -> Iterator[Any]:
    """A connected consumer for one question. Raises Unavailable in words."""
    with in_words(topic):
        consumer = consumer_taken()
        try:
            yield consumer
        finally:
            consumer_rested(consumer)


@contextmanager
def in_words(topic: str) -> Iterator[None]:
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as cause:
        raise fault_of(cause.args[0], topic) from cause


def fault_of(error: Any, topic: str) -> Unavailable:
    """Permanent where only a person can mend it."""
    from confluent_kafka import KafkaError

    code = error.code()
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return Unavailable(sentence("Kafka has no topic “{topic}”.", topic=topic))
    if code in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
    ):
        return Unavailable(sentence("Kafka does not let the console read “{topic}”.", topic=topic), permanent=True)
    if error.name() in NO_ANSWER:
        return Unavailable(AWAY)
    return Unavailable(sentence("Kafka answers: {fault}", fault=str(error.str())[:160]))
