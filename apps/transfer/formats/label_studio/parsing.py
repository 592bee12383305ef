"""A list of tasks, as Label Studio exports it, into rows; one that is strange becomes a dead letter with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson

from apps.datasets.content import content_digest
from apps.datasets.readers import Row
from apps.labeling.models import SkipReason
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadKind
from apps.rules.answers import Value
from apps.transfer.formats.items import items_of
from apps.transfer.formats.label_studio.regions import REGIONS, Regions, Strange
from apps.transfer.rows import ANSWER

NO_TEXT = frozenset({"external_id", "collected_at", "image"})  # columns of a task beside the one text that it has


def read(file: BinaryIO, project: Project) -> Iterator[Row]:
    task = task_types.get(project.task_type)
    for item in items_of(file):
        if item.fault:
            yield Row(item.number, None, item.fault, item.raw)
            continue
        try:
            yield Row(item.number, _row(item.value, task.payload, REGIONS[task.answer.name]))
        except (Strange, KeyError, TypeError, ValueError, IndexError) as cause:
            reason = (
                str(cause) if isinstance(cause, Strange) else f"The task is not as Label Studio writes it: {cause!r}."
            )
            yield Row(item.number, None, reason[:300], orjson.dumps(item.value).decode()[:2000])


def _row(task: Any, payload: PayloadKind, regions: Regions) -> dict[str, Any]:
    if not isinstance(task, Mapping):
        raise Strange("The task is JSON but not an object.")
    data = task["data"] if isinstance(task.get("data"), Mapping) else {k: v for k, v in task.items() if k != "id"}
    row = {name: value for name, value in data.items() if name not in ("id", "answers", "predictions")}
    if len(payload.column_names) == 1 and not payload.has_image:
        row |= _only_text(row, payload.column_names[0])
    row["external_id"] = _id(task, data, row)
    text = str(row.get("text") or "")
    annotations = [x for x in task.get("annotations") or task.get("completions") or [] if isinstance(x, Mapping)]
    people = [x for x in annotations if not (x.get("ground_truth") and not x.get("annotator"))]
    row["answers"] = [_answer(x, text, regions) for x in people]
    for known in [x for x in annotations if x.get("ground_truth") and not x.get("annotator")][-1:]:
        row["gold.value"] = _value(known.get("result") or [], text, regions)
        row["gold.explanation"] = _rest(known).get("explanation", "")
    bodies = [x for x in task.get("predictions") or [] if isinstance(x, Mapping)]  # an export of its own lists only ids
    row["predictions"] = [_prediction(x, text, regions) for x in bodies]
    return row


def _only_text(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    """`$text` may have another name in Label Studio; where the task has one text it is that."""
    if column in row:
        return {}
    texts = [v for n, v in row.items() if isinstance(v, str) and n not in NO_TEXT]
    return {column: texts[0]} if len(texts) == 1 else {}


def _id(task: Mapping[str, Any], data: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    meta = task.get("meta") if isinstance(task.get("meta"), Mapping) else {}
    found = data.get("external_id") or data.get("id") or (meta or {}).get("external_id")
    if found in (None, "") and "data" in task:
        found = task.get("id")
    if found in (None, ""):
        found = f"ls-{content_digest({k: str(v) for k, v in row.items()})[:16]}"
    return str(found)


def _rest(annotation: Mapping[str, Any]) -> dict[str, Any]:
    rest = annotation.get("fastloop")
    return dict(rest) if isinstance(rest, Mapping) else {}


def _answer(given: Mapping[str, Any], text: str, regions: Regions) -> dict[str, Any]:
    rest = {name: value for name, value in _rest(given).items() if name in ANSWER}
    skipped = bool(given.get("was_cancelled"))
    lead = given.get("lead_time")
    return {
        **rest,
        "by": _by(given),
        "id": given.get("unique_id") or "",
        "at": given.get("created_at"),
        "active_ms": round(float(lead) * 1000) if lead else 0,
        "value": None if skipped else _value(given.get("result") or [], text, regions),
        "skip": (rest.get("skip") or SkipReason.UNCLEAR) if skipped else "",
    }


def _by(given: Mapping[str, Any]) -> str:
    """A name, where there is one: `completed_by` is a number, a name, or an object."""
    if given.get("annotator"):
        return str(given["annotator"])
    who = given.get("completed_by")
    if isinstance(who, Mapping):
        return str(who.get("email") or who.get("username") or "")
    return who if isinstance(who, str) else ""


def _prediction(given: Mapping[str, Any], text: str, regions: Regions) -> dict[str, Any]:
    score = given.get("score")
    inside = isinstance(score, int | float) and 0 <= score <= 1
    return {
        "value": _value(given.get("result") or [], text, regions),
        "model": str(given.get("model_version") or ""),
        "confidence": score if inside else None,
        "at": given.get("created_at"),
    }


def _value(result: Sequence[dict[str, Any]], text: str, regions: Regions) -> Value:
    """Raises Strange for what the project's kind of answer cannot be."""
    for item in result:
        if item.get("type") != regions.type:
            raise Strange(f"The task holds a “{item.get('type')}”; this project keeps “{regions.type}” only.")
    return regions.read(result, text)
