"""Tasks with annotations and predictions, as Label Studio 1.23 imports them."""

import base64
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from apps.projects.task_types import PayloadKind, TaskType
from apps.rules.answers import Value
from apps.rules.pictures import media_type
from apps.transfer.exporting import Document, Export, ExportedLabel, Shown, documents
from apps.transfer.formats.label_studio.regions import REGIONS
from apps.transfer.rows import ANSWER, Answered

TASKS_AT_ONCE = 200
APART = frozenset({"value", "by", "skip", "at", "active_ms", "id"})  # have a place of their own in Label Studio


def write(export: Export) -> Iterator[bytes]:
    tasks = (orjson.dumps(_task(d, export.task)) for d in documents(export))
    yield b"["
    between = b"\n"
    while chunk := list(islice(tasks, 1 if export.images else TASKS_AT_ONCE)):
        yield between + b",\n".join(chunk)
        between = b",\n"
    yield b"\n]\n"


def _task(document: Document, task: TaskType) -> dict[str, Any]:
    shown = document.shown
    annotations = [_annotation(a, shown, task) for a in document.answers]
    if document.label:
        annotations.append(_labeled(document.label, shown, task))
    if document.gold is not None:
        known = {"result": _result(document.gold, shown, task), "was_cancelled": False, "ground_truth": True}
        annotations.append(known | {"fastloop": {"explanation": document.gold_explanation}})
    predictions = [
        {"model_version": g.model, "score": g.confidence, "created_at": g.at, "result": _result(g.value, shown, task)}
        for g in document.guesses
    ]
    return {"data": _data(shown, task.payload), "meta": {}, "annotations": annotations, "predictions": predictions}


def _data(shown: Shown, payload: PayloadKind) -> dict[str, Any]:
    columns = payload.columns_of(shown.fields, shown.image)
    if payload.has_image:
        columns = {name: _data_url(content) for name, content in columns.items()}
    return {"external_id": shown.external_id, "collected_at": shown.collected_at, **columns}


def _data_url(content: bytes | None) -> str:
    return f"data:{media_type(content)};base64,{base64.b64encode(content).decode()}" if content is not None else ""


def _annotation(answer: Answered, shown: Shown, task: TaskType) -> dict[str, Any]:
    rest = {name: getattr(answer, name) for name in ANSWER if name not in APART}
    return {
        "unique_id": answer.id,
        "annotator": answer.by,
        "was_cancelled": answer.value is None,
        "ground_truth": False,
        "result": _result(answer.value, shown, task) if answer.value is not None else [],
        "lead_time": answer.active_ms / 1000,
        "created_at": answer.at,
        "updated_at": answer.at,
        "fastloop": {
            n: v for n, v in {**rest, "skip": answer.skip}.items() if v is not None and v != "" and v is not False
        },
    }


def _labeled(label: ExportedLabel, shown: Shown, task: TaskType) -> dict[str, Any]:
    return {
        "result": _result(label.value, shown, task),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": label.at,
        "updated_at": label.at,
        "fastloop": {"source": label.source, "lane": label.lane},
    }


def _result(value: Value, shown: Shown, task: TaskType) -> list[dict[str, Any]]:
    regions = REGIONS[task.answer.name]
    head = {"from_name": regions.from_name, "to_name": task.kind, "type": regions.type}
    written = regions.write(value, shown.fields)
    return [{"id": f"r{n}", **head, **region} for n, region in enumerate(written, start=1)]
