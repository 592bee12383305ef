"""A list of tasks, as Label Studio exports it, into rows; one that is strange becomes a dead letter with its reason."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from apps.datasets.content import content_digest
from apps.datasets.readers import Row
from apps.labeling.models import SkipReason
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadKind
from apps.rules.answers import Value
from apps.rules.sentences import sentence, words_of
from apps.transfer.formats.items import items_of, raw_text
from apps.transfer.formats.label_studio.regions import REGIONS, Regions, Strange, is_number
from apps.transfer.rows import ANSWER

MOST_DEPTH = 100  # of lists and objects in a task
NO_DATA = frozenset({"annotations", "completions", "predictions", "meta"})  # of a task that is a plain row
NO_TEXT = frozenset({"external_id", "collected_at", "image"})  # columns of a task beside the one text that it has


def read(file: BinaryIO, project: Project) -> Iterator[Row]:
    task = task_types.get(project.task_type)
    for item in items_of(file):
        if item.fault:
            yield Row(item.number, None, item.fault, item.raw)
            continue
        try:
            refuse_unkeepable(item.value)
            yield Row(item.number, _row(item.value, task.payload, REGIONS[task.answer.name]))
        except Strange as cause:
            yield Row(item.number, None, words_of(cause), raw_text(item.value))
        except Exception as cause:  # of one task among thousands, whatever it is
            fault = f"{type(cause).__name__}: {cause}"[:200]
            reason = sentence("The task is not as Label Studio writes it ({fault}).", fault=fault)
            yield Row(item.number, None, reason, raw_text(item.value))


def refuse_unkeepable(value: Any) -> None:
    """Raises Strange for what is nested too deep; everything else has its rule where rows are checked."""
    try:
        orjson.dumps(value)
    except TypeError:
        layer, depth = [value], 0
        while layer:
            layer = [
                inner
                for x in layer
                if isinstance(x, list | dict)
                for inner in (x.values() if isinstance(x, dict) else x)
            ]
            depth += 1
            if depth > MOST_DEPTH:
                raise Strange(sentence("The task is nested more than {most} deep.", most=MOST_DEPTH)) from None


def _row(task: Any, payload: PayloadKind, regions: Regions) -> dict[str, Any]:
    if not isinstance(task, Mapping):
        raise Strange(sentence("The task is JSON but not an object."))
    data = task["data"] if isinstance(task.get("data"), Mapping) else _beside(task)
    row = {name: value for name, value in data.items() if name not in ("id", "answers", "predictions")}
    if len(payload.column_names) == 1 and not payload.has_image:
        row |= _only_text(row, payload.column_names[0])
    row["external_id"] = _id(task, data, row)
    text = str(row.get("text") or "")
    annotations = _objects(task, "annotations") or _objects(task, "completions")
    people = [x for x in annotations if not (x.get("ground_truth") and not x.get("annotator"))]
    row["answers"] = [_answer(x, text, regions) for x in people]
    for known in [x for x in annotations if x.get("ground_truth") and not x.get("annotator")][-1:]:
        row["gold.value"] = _value(known.get("result"), text, regions)
        row["gold.explanation"] = _rest(known).get("explanation", "")
    predictions = task.get("predictions") if isinstance(task.get("predictions"), list) else []
    bodies = [x for x in predictions or [] if isinstance(x, Mapping)]  # an export of its own lists only ids
    row["predictions"] = [_prediction(x, text, regions) for x in bodies]
    return row


def _beside(task: Mapping[str, Any]) -> dict[str, Any]:
    """A plain row: all but what Label Studio calls so."""
    return {name: value for name, value in task.items() if name != "id" and not (name in NO_DATA and _nested(value))}


def _nested(value: Any) -> bool:
    return isinstance(value, list | Mapping)


def _objects(task: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Raises Strange: an answer that is not understood must not be passed over."""
    found = task.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(x, Mapping) for x in found):
        raise Strange(sentence("“{name}” is no list of objects.", name=name))
    return found


def _only_text(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    """`$text` may have another name in Label Studio; where the task has one text it is that."""
    if column in row:
        return {}
    texts = [v for n, v in row.items() if isinstance(v, str) and n not in NO_TEXT]
    return {column: texts[0]} if len(texts) == 1 else {}


def _id(task: Mapping[str, Any], data: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    """The first that is there; 0 is one."""
    meta = task.get("meta")
    asked = (data.get("external_id"), data.get("id"), meta.get("external_id") if isinstance(meta, Mapping) else None)
    found = next((given for given in (*asked, task.get("id")) if given not in (None, "")), None)
    return found if found is not None else f"ls-{content_digest({k: str(v) for k, v in row.items()})[:16]}"


def _rest(annotation: Mapping[str, Any]) -> dict[str, Any]:
    rest = annotation.get("fastloop")
    return dict(rest) if isinstance(rest, Mapping) else {}


def _answer(given: Mapping[str, Any], text: str, regions: Regions) -> dict[str, Any]:
    rest = {name: value for name, value in _rest(given).items() if name in ANSWER}
    skipped = bool(given.get("was_cancelled"))
    return {
        **rest,
        "by": _by(given),
        "id": given.get("unique_id") or "",
        "at": given.get("created_at"),
        "active_ms": _active_ms(given.get("lead_time")),
        "value": None if skipped else _value(given.get("result"), text, regions),
        "skip": (rest.get("skip") or SkipReason.UNCLEAR) if skipped else "",
    }


def _active_ms(lead: Any) -> int:
    """From seconds. Raises Strange for what no clock says."""
    if lead is None or lead == "":
        return 0
    if not is_number(lead) or lead < 0:
        raise Strange(
            sentence("The “lead_time” of an answer is a number of seconds, not {value}.", value=str(lead)[:40])
        )
    return min(round(lead * 1000), 2**31 - 1)


def _by(given: Mapping[str, Any]) -> str:
    """A name, where there is one: `completed_by` is a number, a name, or an object."""
    who = given.get("annotator") or given.get("completed_by")
    if isinstance(who, Mapping):
        return str(who.get("email") or who.get("username") or "")
    return who if isinstance(who, str) else ""


def _prediction(given: Mapping[str, Any], text: str, regions: Regions) -> dict[str, Any]:
    score = given.get("score")
    inside = is_number(score) and 0 <= score <= 1
    return {
        "value": _value(given.get("result"), text, regions),
        "model": str(given.get("model_version") or ""),
        "confidence": score if inside else None,
        "at": given.get("created_at"),
    }


def _value(result: Any, text: str, regions: Regions) -> Value:
    """Raises Strange for what the project's kind of answer cannot be."""
    found = result if result is not None else []
    if not isinstance(found, list) or not all(isinstance(region, Mapping) for region in found):
        raise Strange(sentence("The “result” of an answer is no list of regions."))
    for region in found:
        if region.get("type") != regions.type:
            raise Strange(
                sentence(
                    "The task holds a “{value}”; this project keeps “{type}” only.",
                    value=str(region.get("type"))[:40],
                    type=regions.type,
                )
            )
        if not isinstance(region.get("value"), Mapping):
            raise Strange(sentence("A region of an answer has no “value”."))
    return regions.read(found, text)
