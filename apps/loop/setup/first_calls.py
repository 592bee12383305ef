"""The first calls of the API, ready to be copied: address, project and a row like those that the project has."""

import base64
import json
import shlex
from dataclasses import dataclass
from typing import Any

from apps.datasets.selectors import examples_of
from apps.projects import task_types
from apps.projects.models import Project

SHORT = 60  # characters of a value: a call is read before it is copied
PICTURE = b"the bytes of a picture"


@dataclass(frozen=True)
class FirstCalls:
    """Bodies as JSON, quoted for the shell."""

    batch: str
    question: str
    asked: str  # the same question as Python writes it
    label: str


def first_calls(project: Project) -> FirstCalls:
    row = _row_like(project)
    sent = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in row.items()}
    question = {"inputs": task_types.get(project.task_type).payload.inputs([row])}
    label = next((x.name for x in project.labels.all()), "")
    return FirstCalls(_quoted({"examples": [{"id": "my-1", **sent}]}), _quoted(question), repr(question), label)


def _row_like(project: Project) -> dict[str, Any]:
    """The columns of a stored example, or of one that could be."""
    payload = task_types.get(project.task_type).payload
    if payload.has_image:
        return {"image": PICTURE}
    example = examples_of(project).first()
    if example is None:
        return {"column": 1} if payload.has_features else dict.fromkeys(payload.column_names, "…")
    return {name: _short(value) for name, value in payload.columns_of(example.fields, None).items()}


def _short(value: Any) -> Any:
    return f"{value[:SHORT]}…" if isinstance(value, str) and len(value) > SHORT else value


def _quoted(value: Any) -> str:
    return shlex.quote(json.dumps(value, ensure_ascii=False))
