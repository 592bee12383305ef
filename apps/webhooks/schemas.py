"""The JSON Schema of each event, made of what its verb declares: whoever receives can check what comes."""

from types import UnionType
from typing import Any, get_args

from apps.audit.verbs import PAYLOADS, EventPayload, Verb

_NAMES = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(verb: Verb) -> dict[str, Any]:
    """Of the body in the format “standard”."""
    facts = _facts(PAYLOADS[verb])
    data = {
        "project": {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
            "required": ["id", "name"],
        },
        "subject": {"type": "string", "pattern": f"^{PAYLOADS[verb].subject}"},
        "sentence": {"type": "string"},
        "by": {"type": "string", "description": "A user name; empty: the console itself."},
        "sequence": {"type": "integer", "description": "Its place in the project's audit trail."},
        "url": {"type": "string"},
        "before": facts,
        "after": facts,
    }
    return {
        "$schema": _DIALECT,
        "title": str(verb),
        "type": "object",
        "properties": {
            "type": {"const": str(verb)},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "properties": data, "required": list(data)},
        },
        "required": ["type", "timestamp", "data"],
    }


def _facts(payload: EventPayload) -> dict[str, Any]:
    """Facts that did not change are not there; too many of them are replaced by `left_out`."""
    if payload.open:
        return {"type": "object"}
    known = {name: {"type": _types(kind)} for name, kind in payload.facts.items()}
    return {"type": "object", "properties": known | {"left_out": {"const": True}}, "additionalProperties": False}


def _types(kind: type | UnionType) -> str | list[str]:
    if isinstance(kind, type):
        return _NAMES[kind]
    return [_NAMES[each] for each in get_args(kind)]
