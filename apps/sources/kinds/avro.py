"""Events in Avro, as a schema registry frames them: a zero byte, the number of the writer's schema, then the value."""

import base64
import io
import json
import struct
from datetime import date, datetime
from typing import Any

import httpx
from django.conf import settings

from apps.integrations.ports import Unavailable
from apps.rules.sentences import sentence

MOST_BYTES = 1_000_000
TIMEOUT_S = 3.0
_FRAME = struct.Struct(">bI")


def as_json(value: bytes) -> tuple[bytes, str]:
    """The event as JSON, or as it came and why it cannot be read. Raises Unavailable where the registry is away."""
    if len(value) > MOST_BYTES:
        return value, ""  # refused by its size, whatever is in it
    if len(value) <= _FRAME.size or value[0] != 0:
        return value, sentence("The event does not begin with the number of a schema, as Avro of a registry does.")
    number = _FRAME.unpack_from(value)[1]
    schema = _schema(settings.KAFKA_SCHEMA_REGISTRY, number)
    if schema is None:
        return value, sentence("The schema registry has no Avro schema {number}.", number=number)
    try:
        return json.dumps(_decoded(schema, value[_FRAME.size :]), default=_plain).encode(), ""
    except Exception as cause:  # whatever a stranger's bytes make of a decoder
        words = sentence(
            "The event is not what its schema {number} says ({fault}).", number=number, fault=type(cause).__name__
        )
        return value, words


def _decoded(schema: Any, value: bytes) -> Any:
    import fastavro

    return fastavro.schemaless_reader(io.BytesIO(value), schema, None)


_known: dict[tuple[str, int], Any] = {}


def _schema(registry: str, number: int) -> Any:
    """The schema of this number, which never changes; None where there is none, which may."""
    if (registry, number) not in _known:
        found = _fetched(registry, number)
        if found is None:
            return None
        if len(_known) >= 500:
            _known.clear()
        _known[registry, number] = found
    return _known[registry, number]


def _fetched(registry: str, number: int) -> Any:
    """Raises Unavailable."""
    import fastavro

    if not registry:
        raise Unavailable(sentence("No schema registry is known: KAFKA_SCHEMA_REGISTRY is not set."), permanent=True)
    try:
        answer = httpx.get(f"{registry.rstrip('/')}/schemas/ids/{number}", timeout=TIMEOUT_S)
    except httpx.HTTPError as cause:
        raise Unavailable(sentence("The schema registry does not answer.")) from cause
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise Unavailable(sentence("The schema registry answers {status}.", status=answer.status_code))
    try:
        said = answer.json()
        if said.get("schemaType", "AVRO") != "AVRO":
            return None
        return fastavro.parse_schema(json.loads(said["schema"]))
    except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as cause:
        raise Unavailable(sentence("The schema registry’s answer cannot be read.")) from cause


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
