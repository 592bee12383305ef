"""Tasks of a Label Studio as questions to the champion, and its answers as predictions of theirs: one a task, in their order."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadRefused, TaskType
from apps.releases.inference import answers_in, predict
from apps.releases.selectors import champion_of
from apps.rules.sentences import sentence
from apps.rules.studio import StudioControl

AT_ONCE = 64  # tasks in one question to the predictor
DATA_URL = "data:"


@dataclass(frozen=True)
class StudioPrediction:
    """`label` is empty where the task cannot be asked about; `why` says so then."""

    label: str
    confidence: float
    why: str = ""


def version_now(project: Project) -> str:
    """What their predictions are called by; empty while no model serves."""
    champion = champion_of(project)
    return f"v{champion.number}" if champion is not None else ""


def predictions_for(project: Project, control: StudioControl, tasks: Sequence[Any]) -> Iterable[StudioPrediction]:
    """One a task. Raises PredictorUnavailable, and Invalid where the predictor refuses all of them."""
    task = task_types.get(project.task_type)
    for start in range(0, len(tasks), AT_ONCE):
        read = [_question(task, control, each) for each in tasks[start : start + AT_ONCE]]
        rows = [row for row in read if not isinstance(row, str)]
        answers = iter(_asked(project, task, rows)) if rows else iter(())
        for each in read:
            yield StudioPrediction("", 0.0, each) if isinstance(each, str) else next(answers, StudioPrediction("", 0.0))


def _question(task: TaskType, control: StudioControl, given: Any) -> dict[str, Any] | str:
    """One row for the predictor, or why there is none."""
    data = given.get("data") if isinstance(given, Mapping) else None
    value = data.get(control.key) if isinstance(data, Mapping) else None
    if task.payload.has_image:
        value = _picture(value)
        if isinstance(value, str):
            return value
    try:
        payload = task.payload.read({task.payload.column_names[0]: value})
    except PayloadRefused as cause:
        return str(cause)
    return {"image": payload.blob} if task.payload.has_image else payload.fields


def _picture(value: Any) -> bytes | str | None:
    """Bytes of a data URL. Pictures at other addresses are not fetched: they are Label Studio's, behind its sign-in."""
    if not isinstance(value, str) or not value.startswith(DATA_URL):
        return sentence("Only pictures that stand in the task itself, as a data URL, can be asked about.")
    try:
        return base64.b64decode(value.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return sentence("The picture of the task is no base64.")


def _asked(project: Project, task: TaskType, rows: Sequence[dict[str, Any]]) -> list[StudioPrediction]:
    answer = predict(model=project.slug, request={"inputs": task.payload.inputs(rows)})
    return [StudioPrediction(label, sure) for label, sure in answers_in(answer)]


def result_of(control: StudioControl, found: StudioPrediction, version: str) -> dict[str, Any]:
    """As Label Studio stores a prediction. Its "Uncertainty sampling" takes the lowest score first."""
    said = control.stored.get(found.label)
    if not found.label or said is None:  # a label that its configuration does not have would be no choice on its page
        return {"model_version": version, "score": 0.0, "result": []}
    region = {"from_name": control.name, "to_name": control.to_name, "type": control.type, "value": {"choices": [said]}}
    return {"model_version": version, "score": found.confidence, "result": [region | {"score": found.confidence}]}
