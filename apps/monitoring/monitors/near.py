"""The requests of a window that show what moved in one of its features; and one logged request with all that is known of it."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np

from apps.monitoring.log.sample import answers_to
from apps.monitoring.models import AskedPayload, Feedback, MonitorReading, Prediction
from apps.monitoring.selectors import predictions_named
from apps.projects.models import Project
from apps.rules.feedback import LABEL
from apps.rules.monitors import MONITORS, RequestSeen
from apps.rules.monitors.nearest import LENGTH_OF

LOOKED_AT, SHOWN = 2_000, 12  # kept requests of a window, the newest; those of them that a page shows
MOST_CELLS, MOST_LETTERS = 8, 120  # columns of a request in a line, letters of each
SIDE = 96  # pixels of a small picture


@dataclass(frozen=True)
class RequestNear:
    """`moved` is what it has in the column that drifted, `rest` its other columns, both as a page writes them."""

    inference_id: str
    item: int
    at: datetime
    moved: str
    rest: tuple[tuple[str, str], ...]
    picture: str  # its address, of a small one; empty where it has none
    label: str
    confidence: float
    wrong: bool | None


@dataclass(frozen=True)
class RequestsNear:
    """`showing` of those that were looked at show it; where none does, or nobody can say which, the newest are listed."""

    column: str
    looked_at: int
    showing: int
    requests: tuple[RequestNear, ...]


def feature_named(reading: MonitorReading, name: str) -> dict[str, Any] | None:
    return next((each for each in reading.features if each["name"] == name), None)


def requests_near(reading: MonitorReading, feature: Mapping[str, Any]) -> RequestsNear:
    """Nearest first, and of those the newest."""
    kept, seen = _seen(reading)
    monitor = MONITORS.get(reading.type)
    scores = np.zeros(len(seen))
    if monitor is not None and monitor.nearest is not None and seen:
        scores = np.asarray(monitor.nearest(feature, seen), float)
    order = np.argsort(-scores, kind="stable")[:SHOWN]
    showing = int((scores > 0).sum())
    column = _column(feature, kept)
    shown = [int(i) for i in order if scores[i] > 0 or not showing]
    pictures = _pictures([kept[i] for i in shown])
    found = tuple(_near(kept[i], seen[i], column, pictures.get(kept[i].pk, "")) for i in shown)
    return RequestsNear(column, len(seen), showing, found)


def _seen(reading: MonitorReading) -> tuple[list[AskedPayload], list[RequestSeen]]:
    """Those that its model answered, newest first."""
    project = reading.project
    rows = AskedPayload.objects.filter(project=project, at__gt=reading.since, at__lte=reading.until).defer("image")
    newest = list(rows.order_by("-at", "-id")[:LOOKED_AT])
    said = answers_to(project, [(r.inference_id, r.item, r.at) for r in newest], version=reading.model_number)
    kept = [r for r in newest if (r.inference_id, r.item, r.at) in said]
    came = Feedback.objects.filter(
        project=project,
        name=LABEL,
        inference_id__in={r.inference_id for r in kept},
        answered_at__gt=reading.since,
        answered_at__lte=reading.until,
        worth__isnull=False,
    )
    wrong = {(name, item): not worth for name, item, worth in came.values_list("inference_id", "item", "worth")}
    seen = [
        RequestSeen(r.row, *said[r.inference_id, r.item, r.at], wrong=wrong.get((r.inference_id, r.item))) for r in kept
    ]
    return kept, seen


def _column(feature: Mapping[str, Any], kept: list[AskedPayload]) -> str:
    """Of the requests, that the feature is of; empty where it is of none."""
    name, there = str(feature["name"]), {column for each in kept for column in each.row}
    parts = feature.get("parts") or {}
    tried = (name, name.removeprefix(LENGTH_OF), str(parts.get("column", "")))
    return next((column for column in tried if column in there), "")


def _pictures(kept: list[AskedPayload]) -> dict[int, str]:
    """By the row's key, of those that have one."""
    days = [each.at for each in kept]
    if not days:
        return {}
    rows = AskedPayload.objects.filter(
        pk__in=[k.pk for k in kept], at__gte=min(days), at__lte=max(days), image__isnull=False
    )
    return {pk: small_picture(bytes(image)) for pk, image in rows.values_list("pk", "image") if image}


def small_picture(content: bytes) -> str:
    """As an address that holds it, SIDE pixels wide at most; empty for what cannot be read."""
    from PIL import Image, UnidentifiedImageError

    with suppress(UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        picture = Image.open(BytesIO(content)).convert("RGB")
        picture.thumbnail((SIDE, SIDE))
        written = BytesIO()
        picture.save(written, "PNG")
        return f"data:image/png;base64,{b64encode(written.getvalue()).decode()}"
    return ""


def _near(kept: AskedPayload, seen: RequestSeen, column: str, picture: str) -> RequestNear:
    rest = [(name, _short(value)) for name, value in kept.row.items() if name != column and value is not None]
    return RequestNear(
        kept.inference_id,
        kept.item,
        kept.at,
        _short(kept.row.get(column)) if column else "",
        tuple(rest[:MOST_CELLS]),
        picture,
        seen.label,
        seen.confidence,
        seen.wrong,
    )


def _short(value: Any) -> str:
    words = "–" if value is None or value == "" else str(value)
    return words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1] + "…"


@dataclass(frozen=True)
class RequestStory:
    """One row of one request: what was asked where that is kept, what models said, what came back."""

    inference_id: str
    item: int
    at: datetime | None
    cells: tuple[tuple[str, str], ...]
    picture: str
    answers: tuple[Prediction, ...]
    feedback: tuple[Feedback, ...]


def request_story(project: Project, inference_id: str, item: int) -> RequestStory | None:
    """None where nothing is known under this id."""
    payload = AskedPayload.objects.filter(project=project, inference_id=inference_id, item=item).order_by("-at").first()
    answers = tuple(each for each in predictions_named(project, inference_id) if each.item == item)
    came = Feedback.objects.filter(project=project, inference_id=inference_id, item=item).order_by("name", "at")
    feedback = tuple(came[:50])
    if not inference_id or not (payload or answers or feedback):
        return None
    return RequestStory(
        inference_id,
        item,
        payload.at if payload else answers[0].at if answers else None,
        tuple((name, str(value)) for name, value in payload.row.items()) if payload else (),
        small_picture(bytes(payload.image)) if payload and payload.image else "",
        answers,
        feedback,
    )
