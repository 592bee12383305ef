"""The schema as a judge of replies: status, kind of content and every key."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    body: dict[str, Any]


class Schema:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.strict = copy.deepcopy(document)
        _close(self.strict["components"])
        self.operations = {
            found["operationId"]: Operation(found["operationId"], method.upper(), path, found)
            for path, methods in document["paths"].items()
            for method, found in methods.items()
            if method in METHODS
        }

    def faults(self, operation_id: str, reply: Any) -> Iterator[str]:
        """What in this reply the schema does not describe."""
        responses = self.operations[operation_id].body["responses"]
        found = responses.get(str(reply.status_code)) or (
            responses.get("default") if reply.status_code >= 400 else None
        )
        if found is None:
            yield f"{operation_id}: status {reply.status_code} is not in the schema"
            return
        content = found.get("content")
        kind = reply.headers.get("Content-Type", "").split(";")[0]
        if not content:
            if getattr(reply, "content", b""):
                yield f"{operation_id}: {reply.status_code} has a body of which the schema knows nothing"
            return
        if kind not in content:
            yield f"{operation_id}: {reply.status_code} comes as {kind}, and the schema says {', '.join(content)}"
            return
        if "json" in kind and "ndjson" not in kind:
            yield from self.misfits(operation_id, content[kind]["schema"], reply.json())

    def misfits(self, name: str, schema: dict[str, Any], value: Any) -> Iterator[str]:
        whole = {**_closed(schema), "components": self.strict["components"]}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
            yield f"{name}: {error.json_path}: {error.message[:200]}"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    schema = copy.deepcopy(schema)
    _close(schema)
    return schema


def _close(node: Any) -> None:
    """Keys that are not described are faults, where the schema does not say that there are others."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for each in node.values():
            _close(each)
    elif isinstance(node, list):
        for each in node:
            _close(each)
