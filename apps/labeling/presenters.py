"""What the labeling desk is told about an assignment, as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from apps.accounts.models import User
from apps.labeling import selectors
from apps.labeling.models import Assignment, Lane
from apps.labeling.selectors import EmptyQueue
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.acquisition import reason_sentence

NEAREST = 12  # keys of the grid: 1234 QWER ASDF
WHY_LANE = {
    Lane.RANDOM: "Drawn at random, to measure what choosing by the model’s doubt is worth.",
    Lane.HOLDOUT: "Drawn at random for the holdout: models are judged by it and never train on it.",
    Lane.AUDIT: "The model labeled this one by itself. Your answer, given without seeing the model’s, checks it.",
}
WHY_BLIND = "Chosen for the model’s doubt. Its guess stays hidden, as on one example in ten, so it cannot sway you."


def assignment_json(assignment: Assignment, *, label_names: Sequence[str]) -> dict[str, Any]:
    guess = {"label": assignment.suggestion, "confidence": assignment.suggestion_confidence}
    return {
        "id": assignment.pk,
        "token": str(assignment.token),
        "lane": assignment.lane,
        "why": why(assignment.lane, assignment.reason, blind=not assignment.suggestion, label_names=label_names),
        "leased_until": assignment.leased_until.isoformat(),
        "example": _example_json(assignment),
        "suggestion": guess if assignment.suggestion else None,
        "nearest": [str(name) for name in assignment.reason.get("nearest", [])][:NEAREST],
    }


def why(lane: str, reason: Mapping[str, Any], *, blind: bool, label_names: Sequence[str]) -> str:
    """One sentence. Where the suggestion is hidden the sentence must not give it away."""
    strategy = reason.get("strategy", "no-model")
    if strategy == "tie":
        return "The answers so far are split. Yours settles it."
    if lane != Lane.ACTIVE:
        return WHY_LANE[Lane(lane)]
    if strategy == "no-model":
        return "No model has learned from this project yet, so the order is by chance."
    if blind and "first" in reason:
        return WHY_BLIND
    return reason_sentence(reason, label_names)


def _example_json(assignment: Assignment) -> dict[str, Any]:
    example, task = assignment.example, task_types.get(assignment.project.task_type)
    shown: dict[str, Any] = {"id": example.pk, "external_id": example.external_id, "kind": task.kind}
    shown["summary"] = task.summary(example.fields, example.external_id)
    if task.kind == "image":
        return shown | {"image_url": reverse("datasets:image", args=[assignment.project_id, example.pk])}
    if task.kind == "tabular":
        return shown | {"features": [[k, v] for k, v in example.fields.get("features", {}).items()]}
    return shown | {"text": str(example.fields.get("text", ""))}


def empty_json(empty: EmptyQueue) -> dict[str, Any]:
    return {
        "title": empty.title,
        "sentence": empty.sentence,
        "frees_at": empty.frees_at.isoformat() if empty.frees_at else None,
    }


def progress_json(project: Project, by: User, at: datetime) -> dict[str, Any]:
    own, team = selectors.own_progress(project, by, at), selectors.team_progress(project)
    return {"today": own.today, "mean_s": own.mean_s, "labeled": team.labeled, "examples": team.examples}


def past_json(project: Project, by: User) -> list[dict[str, Any]]:
    """Newest first, as many as can be undone."""
    past = selectors.past_answers(project, by, task_types.get(project.task_type).summary)
    return [
        {"client_id": str(p.client_id), "summary": p.summary, "answer": p.answer, "at": p.answered_at.isoformat()}
        for p in past
    ]
