"""Topics of Kafka, read by offsets that stand in PostgreSQL. No consumer group: our leases say who reads a partition.

On where KAFKA_BROKERS is set and requirements-kafka.txt is installed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from apps.integrations.ports import Unavailable
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused
from apps.sources.kinds import avro
from apps.sources.kinds.kafka_client import (
    AWAY,
    TIMEOUT_S,
    asked,
    consumer_rested,
    consumer_taken,
    fault_of,
    in_words,
    producer_made,
)
from apps.sources.kinds.source_kind import SourceKind, StreamEnds, StreamEvent, StreamLag

FIRST_S = (
    3.0  # a partition that is asked for the first time: the leader is found, and answers or says that nothing is there
)
LATEST_S = 0.02  # for what the client has fetched beside the first event
FORMATS = ("json", "avro")
_TOPIC = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class KafkaStream:
    """One topic. A position is the offset of the newest event that was taken; `<topic>:<n>` names a partition."""

    def __init__(self, project_id: int, place: Mapping[str, Any]) -> None:
        self._topic, self._format = str(place["stream"]), str(place.get("format", "json"))
        self._reader: Any = None  # stands in one partition, and has fetched ahead
        self._stands: tuple[str, int] | None = None

    def partitions(self) -> Sequence[str]:
        with asked(self._topic) as consumer:
            about = consumer.list_topics(self._topic, timeout=TIMEOUT_S).topics[self._topic]
            if about.error is not None:
                raise fault_of(about.error, self._topic)
        return [f"{self._topic}:{n}" for n in sorted(about.partitions)]

    def read(self, partition: str, position: str, *, most: int, wait_s: float = 0.0) -> list[StreamEvent]:
        offset = int(position) + 1 if position else 0
        fresh = self._stands != (partition, offset)
        if fresh:
            low, high = self._marks(partition)
            offset = max(offset, low)
            if offset > high:
                return []  # the topic was made anew
        with in_words(self._topic):
            self._reader = self._reader or consumer_taken()
            if fresh:
                self._stand(self._reader, partition, offset)
            found = _polled(self._reader, most, FIRST_S if fresh else wait_s, linger_s=wait_s)
        self._stands = (partition, found[-1].offset() + 1) if found else (partition, offset)
        return [self._event(each) for each in found]

    def ends(self, partition: str) -> StreamEnds:
        low, high = self._marks(partition)
        return StreamEnds(str(low) if high > low else "", str(high - 1) if high else "")

    def lag(self, partition: str, position: str, *, at: datetime) -> StreamLag:
        low, high = self._marks(partition)
        next_, lost = (int(position) + 1, "") if position else (low, "")
        if next_ < low:
            next_, lost = low, str(next_)
        if next_ >= high:
            return StreamLag(0, 0.0, lost=lost)
        oldest = self._from(partition, next_, 1)
        if not oldest:  # marks of transactions, or of one that is not committed yet
            return StreamLag(0, 0.0, lost=lost)
        waited = (at - _moment(oldest[0])).total_seconds()
        return StreamLag(high - oldest[0].offset(), max(0.0, waited), str(oldest[0].offset()), lost)

    def newest(self, partition: str, most: int) -> list[StreamEvent]:
        low, high = self._marks(partition)
        return [self._event(each) for each in self._from(partition, max(low, high - most), most)] if high > low else []

    def position_at(self, partition: str, moment: datetime) -> str:
        from confluent_kafka import TopicPartition

        name, n = _parts(partition)
        with asked(self._topic) as consumer:
            wanted = TopicPartition(name, n, max(0, int(moment.timestamp() * 1000)))
            (found,) = consumer.offsets_for_times([wanted], timeout=TIMEOUT_S)
        next_ = found.offset if found.offset >= 0 else self._marks(partition)[1]
        return str(next_ - 1) if next_ > 0 else ""

    def position_given(self, given: str) -> str:
        if not (given.strip().isdecimal() and len(given.strip()) <= 18):
            raise ValueRefused(
                sentence("An offset of a Kafka topic is a whole number, not “{given}”.", given=given[:40])
            )
        return str(int(given))

    def is_before(self, one: str, other: str) -> bool:
        return int(one or -1) < int(other or -1)

    def write(self, values: Sequence[bytes]) -> list[str]:
        """Acknowledged by every replica, or Unavailable."""
        if self._format != "json":
            raise Unavailable(sentence("Events in Avro are sent by their producers, not from here."), permanent=True)
        offsets, faults = dict[int, str](), list[Any]()

        def told(i: int) -> Callable[[Any, Any], None]:
            return lambda fault, m: faults.append(fault) if fault else offsets.update({i: str(m.offset())})

        with in_words(self._topic):
            producer = producer_made()
            for i, value in enumerate(values):
                producer.produce(self._topic, value, on_delivery=told(i))
            producer.flush(TIMEOUT_S)
            if faults or len(offsets) < len(values):
                raise fault_of(faults[0], self._topic) if faults else Unavailable(AWAY)
        return [offsets[i] for i in range(len(values))]

    def forget(self, partition: str, upto: str, *, before: datetime) -> None:
        pass  # the topic's retention does

    def close(self) -> None:
        if self._reader is not None:
            consumer_rested(self._reader)
        self._reader = self._stands = None

    def _marks(self, partition: str) -> tuple[int, int]:
        """The offset of the oldest event, and the one that the next will have."""
        from confluent_kafka import TopicPartition

        with asked(self._topic) as consumer:
            low, high = consumer.get_watermark_offsets(
                TopicPartition(*_parts(partition)), timeout=TIMEOUT_S, cached=False
            )
        return max(0, low), max(0, high)

    def _from(self, partition: str, offset: int, most: int) -> list[Any]:
        with asked(self._topic) as consumer:
            self._stand(consumer, partition, offset)
            return _polled(consumer, most, FIRST_S)

    def _stand(self, consumer: Any, partition: str, offset: int) -> None:
        from confluent_kafka import TopicPartition

        consumer.assign([TopicPartition(*_parts(partition), offset)])

    def _event(self, message: Any) -> StreamEvent:
        value, fault = message.value(), ""
        if value is None:
            value, fault = b"", sentence("The event is empty: it says that what had its key is gone.")
        elif self._format == "avro":
            value, fault = avro.as_json(value)
        return StreamEvent(str(message.offset()), _moment(message), value, fault)


def _polled(consumer: Any, most: int, first_s: float, linger_s: float = 0.0) -> list[Any]:
    """Up to `most` messages, as soon as one is there. The end of the partition is the end, unless it is waited for."""
    from confluent_kafka import KafkaError, KafkaException

    until = time.monotonic() + first_s
    while (left := until - time.monotonic()) > 0:
        first = consumer.poll(left)
        if first is None:
            break
        if first.error() is None:
            rest = consumer.consume(most - 1, timeout=LATEST_S) if most > 1 else []
            return [first, *(m for m in rest if m.error() is None)]
        if first.error().code() != KafkaError._PARTITION_EOF:
            raise KafkaException(first.error())
        until = min(until, time.monotonic() + linger_s)
    return []


def _parts(partition: str) -> tuple[str, int]:
    topic, _, n = partition.rpartition(":")
    return topic, int(n)


def _moment(message: Any) -> datetime:
    kind, ms = message.timestamp()
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(max(0, ms) / 1000 if kind else 0, UTC)
    return datetime.fromtimestamp(0, UTC)


def _place(given: Mapping[str, Any]) -> dict[str, Any]:
    topic, form = str(given.get("stream", "")).strip(), str(given.get("format") or "json")
    if not 0 < len(topic) <= 249 or set(topic) - _TOPIC or topic in (".", ".."):
        raise ValueRefused(
            sentence(
                "The name of a topic has 1 to 249 letters, digits, dots, dashes and underscores; not “{given}”.",
                given=topic[:80],
            )
        )
    if form not in FORMATS:
        raise ValueRefused(sentence("The format of events is one of {known}.", known=", ".join(FORMATS)))
    return {"stream": topic, "format": form}


def _lacks() -> str:
    if not settings.KAFKA_BROKERS:
        return sentence("This console knows no Kafka: KAFKA_BROKERS is not set.")
    if find_spec("confluent_kafka") is None or find_spec("fastavro") is None:
        return sentence("Kafka’s client is not installed here: pip install -r requirements-kafka.txt.")
    return ""


KAFKA = SourceKind(
    "kafka",
    gettext_lazy("Kafka topic"),
    _place,
    KafkaStream,
    lambda _, place: [f"kafka-console-producer --topic {place['stream']}"],
    _lacks,
)
