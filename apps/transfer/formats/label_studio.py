"""Label Studio's JSON: a list of tasks with annotations and predictions, as 1.23 writes it and takes it.

Its regions count characters and percent of the image; ours count code points and pixels. A skip is `was_cancelled`, a
known answer `ground_truth`. What Label Studio has no word for stands in a key `fastloop`, which it ignores. Its
`completed_by` must be a person of the server that reads the file, or the whole request fails: we write `annotator`
instead, and read user names, e-mail addresses and objects; a bare number names nobody here.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

import orjson

from apps.datasets.content import content_digest
from apps.datasets.readers import Row
from apps.labeling.models import SkipReason
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.transfer.exporting import Document, Export, Labeled, Shown, documents
from apps.transfer.formats.format import Format
from apps.transfer.formats.items import items_of
from apps.transfer.rows import ANSWER, Answered

TYPES = {"choice": "choices", "choices": "choices", "spans": "labels", "boxes": "rectanglelabels"}
FROM_NAMES = {"choice": "label", "choices": "labels", "spans": "spans", "boxes": "boxes"}
TASKS_AT_ONCE = 200
_APART = frozenset({"value", "by", "skip", "at", "active_ms", "id"})  # have a place of their own in Label Studio


class _Strange(ValueError):
    """Something of the task that cannot be kept; the message is the reason."""


# Out


def _write(export: Export) -> Iterator[bytes]:
    tasks = (orjson.dumps(_task(d, export.task.kind, export.task.answer.name)) for d in documents(export))
    yield b"["
    between = b"\n"
    while chunk := list(islice(tasks, 1 if export.content and export.task.kind == "image" else TASKS_AT_ONCE)):
        yield between + b",\n".join(chunk)
        between = b",\n"
    yield b"\n]\n"


def _task(document: Document, kind: str, answer: str) -> dict[str, Any]:
    shown = document.shown
    annotations = [_annotation(a, shown, kind, answer) for a in document.answers]
    if document.label:
        annotations.append(_labeled(document.label, shown, kind, answer))
    if document.gold is not None:
        known = {"result": _result(document.gold, shown, kind, answer), "was_cancelled": False, "ground_truth": True}
        annotations.append(known | {"fastloop": {"explanation": document.gold_explanation}})
    predictions = [
        {
            "model_version": g.model,
            "score": g.confidence,
            "created_at": g.at,
            "result": _result(g.value, shown, kind, answer),
        }
        for g in document.guesses
    ]
    return {"data": _data(shown, kind), "meta": {}, "annotations": annotations, "predictions": predictions}


def _data(shown: Shown, kind: str) -> dict[str, Any]:
    data: dict[str, Any] = {"external_id": shown.external_id, "collected_at": shown.collected_at}
    if kind == "tabular":
        return data | dict(shown.fields["features"])
    if kind == "image":
        image = f"data:image/png;base64,{base64.b64encode(shown.image).decode()}" if shown.image is not None else ""
        return data | {"image": image}
    names = ("prompt", "a", "b") if kind == "pair" else ("text",)
    return data | {name: shown.fields.get(name, "") for name in names}


def _annotation(answer: Answered, shown: Shown, kind: str, kind_of_answer: str) -> dict[str, Any]:
    rest = {name: getattr(answer, name) for name in ANSWER if name not in _APART}
    return {
        "unique_id": answer.id,
        "annotator": answer.by,
        "was_cancelled": answer.value is None,
        "ground_truth": False,
        "result": _result(answer.value, shown, kind, kind_of_answer) if answer.value is not None else [],
        "lead_time": answer.active_ms / 1000,
        "created_at": answer.at,
        "updated_at": answer.at,
        "fastloop": {
            n: v for n, v in {**rest, "skip": answer.skip}.items() if v is not None and v != "" and v is not False
        },
    }


def _labeled(label: Labeled, shown: Shown, kind: str, answer: str) -> dict[str, Any]:
    return {
        "result": _result(label.value, shown, kind, answer),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": label.at,
        "updated_at": label.at,
        "fastloop": {"source": label.source, "lane": label.lane},
    }


def _result(value: Value, shown: Shown, kind: str, answer: str) -> list[dict[str, Any]]:
    head = {"from_name": FROM_NAMES[answer], "to_name": kind, "type": TYPES[answer]}
    if answer in ("choice", "choices"):
        chosen = [value["label"]] if answer == "choice" else value["labels"]
        return [{"id": "r1", **head, "value": {"choices": chosen}}]
    if answer == "spans":
        text = str(shown.fields.get("text", ""))
        regions: list[dict[str, Any]] = [
            {
                "value": {
                    "start": s["start"],
                    "end": s["end"],
                    "text": text[s["start"] : s["end"]],
                    "labels": [s["label"]],
                }
            }
            for s in value["spans"]
        ]
    else:
        regions = [_rectangle(b, shown.fields["width"], shown.fields["height"]) for b in value["boxes"]]
    return [{"id": f"r{n}", **head, **region} for n, region in enumerate(regions, start=1)]


def _rectangle(box: Mapping[str, Any], width: int, height: int) -> dict[str, Any]:
    value = {
        "x": box["x"] / width * 100,
        "y": box["y"] / height * 100,
        "width": box["width"] / width * 100,
        "height": box["height"] / height * 100,
        "rotation": 0,
        "rectanglelabels": [box["label"]],
    }
    return {"original_width": width, "original_height": height, "image_rotation": 0, "value": value}


# In


def _read(file: BinaryIO, project: Project) -> Iterator[Row]:
    task = task_types.get(project.task_type)
    for item in items_of(file):
        if item.fault:
            yield Row(item.number, None, item.fault, item.raw)
            continue
        try:
            yield Row(item.number, _row(item.value, task.kind, task.answer.name))
        except (_Strange, KeyError, TypeError, ValueError, IndexError) as cause:
            reason = (
                str(cause) if isinstance(cause, _Strange) else f"The task is not as Label Studio writes it: {cause!r}."
            )
            yield Row(item.number, None, reason[:300], orjson.dumps(item.value).decode()[:2000])


def _row(task: Any, kind: str, answer: str) -> dict[str, Any]:
    if not isinstance(task, Mapping):
        raise _Strange("The task is JSON but not an object.")
    data = task["data"] if isinstance(task.get("data"), Mapping) else {k: v for k, v in task.items() if k != "id"}
    row = {name: value for name, value in data.items() if name not in ("id", "answers", "predictions")}
    if kind == "text" and "text" not in row:
        row |= _only_text(row)
    row["external_id"] = _id(task, data, row)
    text = str(row.get("text") or "")
    annotations = [x for x in task.get("annotations") or task.get("completions") or [] if isinstance(x, Mapping)]
    people = [x for x in annotations if not (x.get("ground_truth") and not x.get("annotator"))]
    row["answers"] = [_answer(x, text, answer) for x in people]
    for known in [x for x in annotations if x.get("ground_truth") and not x.get("annotator")][-1:]:
        row["gold.value"] = _value(known.get("result") or [], text, answer)
        row["gold.explanation"] = _rest(known).get("explanation", "")
    bodies = [x for x in task.get("predictions") or [] if isinstance(x, Mapping)]  # an export of its own lists only ids
    row["predictions"] = [_prediction(x, text, answer) for x in bodies]
    return row


def _only_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """`$text` may have another name in Label Studio; where the task has one text it is that."""
    texts = [v for n, v in row.items() if isinstance(v, str) and n not in ("external_id", "collected_at", "image")]
    return {"text": texts[0]} if len(texts) == 1 else {}


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


def _answer(given: Mapping[str, Any], text: str, answer: str) -> dict[str, Any]:
    rest = {name: value for name, value in _rest(given).items() if name in ANSWER}
    skipped = bool(given.get("was_cancelled"))
    lead = given.get("lead_time")
    return {
        **rest,
        "by": _by(given),
        "id": given.get("unique_id") or "",
        "at": given.get("created_at"),
        "active_ms": round(float(lead) * 1000) if lead else 0,
        "value": None if skipped else _value(given.get("result") or [], text, answer),
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


def _prediction(given: Mapping[str, Any], text: str, answer: str) -> dict[str, Any]:
    score = given.get("score")
    inside = isinstance(score, int | float) and 0 <= score <= 1
    return {
        "value": _value(given.get("result") or [], text, answer),
        "model": str(given.get("model_version") or ""),
        "confidence": score if inside else None,
        "at": given.get("created_at"),
    }


def _value(result: Sequence[Mapping[str, Any]], text: str, answer: str) -> Value:
    """Raises _Strange for what the project's kind of answer cannot be."""
    wanted = TYPES[answer]
    for item in result:
        if item.get("type") != wanted:
            raise _Strange(f"The task holds a “{item.get('type')}”; this project keeps “{wanted}” only.")
    values = [item["value"] for item in result]
    if answer == "spans":
        return {"spans": [_span(v, text) for v in values]}
    if answer == "boxes":
        return {"boxes": [_box(item) for item in result]}
    chosen = [name for v in values for name in v["choices"]]
    if answer == "choices":
        return {"labels": chosen}
    if len(chosen) != 1:
        raise _Strange(f"The task has {len(chosen)} choices; this project takes exactly one.")
    return {"label": chosen[0]}


def _one_label(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise _Strange(f"A region has {len(names)} labels; exactly one fits.")
    return names[0]


def _span(given: Mapping[str, Any], text: str) -> Value:
    """Offsets in code points. Files of old servers counted UTF-16 units: where the text says so, they are turned."""
    start, end, label = int(given["start"]), int(given["end"]), _one_label(given["labels"])
    said = given.get("text")
    if not isinstance(said, str) or text[start:end] == said:
        return {"start": start, "end": end, "label": label}
    units = text.encode("utf-16-le")
    first = len(units[: 2 * start].decode("utf-16-le", "ignore"))
    last = first + len(said)
    if text[first:last] == said and units[2 * start : 2 * end].decode("utf-16-le", "ignore") == said:
        return {"start": first, "end": last, "label": label}
    found = text[start:end][:40]
    raise _Strange(f"The span from {start} to {end} should read “{said[:40]}”, but the text reads “{found}” there.")


def _box(item: Mapping[str, Any]) -> Value:
    given = item["value"]
    if given.get("rotation"):
        raise _Strange("A box is rotated; only upright boxes fit.")
    width, height = item.get("original_width"), item.get("original_height")
    if not width or not height:
        raise _Strange("A box lacks “original_width” and “original_height”, so its percents say no pixels.")
    return {
        "x": given["x"] * width / 100,
        "y": given["y"] * height / 100,
        "width": given["width"] * width / 100,
        "height": given["height"] * height / 100,
        "label": _one_label(given["rectanglelabels"]),
    }


LABEL_STUDIO = Format(
    "label-studio",
    "Label Studio JSON",
    (".json",),
    "application/json",
    "Tasks with annotations and predictions, as Label Studio imports and exports them.",
    ("annotations", "labels", "predictions"),
    _read,
    _write,
)
