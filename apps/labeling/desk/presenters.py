"""What the labeling desk is told about an assignment, as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling import memory
from apps.labeling.desk import selectors
from apps.labeling.desk.selectors import EmptyQueue, UnsignedAnswer
from apps.labeling.models import Assignment, Lane, ReviewWhy
from apps.labeling.services.annotations import Saved
from apps.labeling.services.reviews import answers_differ
from apps.pages.moments import day_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.acquisition import NO_STRATEGY, reason_template

NEAREST = 12  # keys of the grid: 1234 QWER ASDF
# Told apart from the others, a gold example would be answered with more care than the rest.
SHOWN_AS = {Lane.GOLD: Lane.ACTIVE}


def why_lane(lane: str) -> str:
    return {
        Lane.RANDOM: gettext("Drawn at random, to measure what choosing by the model’s doubt is worth."),
        Lane.HOLDOUT: gettext("Drawn at random for the holdout: models are judged by it and never train on it."),
        Lane.AUDIT: gettext(
            "The model labeled this one by itself. Your answer, given without seeing the model’s, checks it."
        ),
        Lane.RELABEL: gettext("A model doubts the label it has. A second look settles it; the label stays hidden."),
        Lane.REVIEW: gettext("The answers below disagree. Yours decides."),
        Lane.DRIFT: gettext("From the part of the traffic that has changed: its labels mend the model first."),
        Lane.GOLD: gettext("Chosen by the queue."),
        Lane.BULK: gettext("You labeled it together with others like it."),
    }[Lane(lane)]


def why_alarm(reason: Mapping[str, Any]) -> str:
    """Whose alarm, and what moved; in the day of the reader."""
    moment, columns = datetime.fromisoformat(str(reason["since"])), [str(name) for name in reason.get("columns", [])]
    words = gettext("From the alarm of {day}: {what}.")
    what = ", ".join(columns) if columns else gettext(str(reason.get("cause", ""))).lower()
    return words.format(day=day_of(moment), what=what or gettext("a part of the traffic that has changed"))


def why_by_chance() -> str:
    """Where no model learns there is nothing to be measured by it."""
    return gettext("Drawn at random: no model learns this kind of answer here, so the order is by chance.")


def why_flagged() -> str:
    return gettext("Somebody flagged it. Your answer decides.")


def why_blind() -> str:
    return gettext("Chosen for the model’s doubt. Its suggestion stays hidden on this one, so that it cannot sway you.")


def assignment_json(
    assignment: Assignment, *, label_names: Sequence[str], votes: Sequence[UnsignedAnswer] = ()
) -> dict[str, Any]:
    """`votes` only for whoever reviews."""
    lane = SHOWN_AS.get(Lane(assignment.lane), assignment.lane)
    hidden = not assignment.suggestion and assignment.suggested_value is None
    return {
        "id": assignment.pk,
        "token": str(assignment.token),
        "lane": lane,
        "why": why(
            assignment.lane,
            assignment.reason,
            blind=hidden,
            label_names=label_names,
            learns=task_types.get(assignment.project.task_type).learns,
        ),
        "leased_until": assignment.leased_until.isoformat(),
        "guidelines": assignment.guidelines.number if assignment.guidelines else None,
        "example": example_json(assignment.example, assignment.project),
        "suggestion": _suggestion_json(assignment),
        "nearest": [str(name) for name in assignment.reason.get("nearest", [])][:NEAREST],
        "votes": [_vote_json(vote) for vote in votes],
        "review": _review_json(assignment, votes) if assignment.lane == Lane.REVIEW else None,
    }


def _review_json(assignment: Assignment, votes: Sequence[UnsignedAnswer]) -> dict[str, Any]:
    """`asks` whether the reviewer says why the answers differed."""
    why_opened = assignment.reason.get("why", "")
    return {"why": why_opened, "asks": answers_differ(why_opened, [vote.value for vote in votes])}


def _suggestion_json(assignment: Assignment) -> dict[str, Any] | None:
    value = assignment.suggested_value or ({"label": assignment.suggestion} if assignment.suggestion else None)
    if value is None:
        return None
    return {
        "value": value,
        "label": assignment.suggestion or None,
        "confidence": assignment.suggestion_confidence,
        "source": assignment.suggestion_source,
    }


def _vote_json(vote: UnsignedAnswer) -> dict[str, Any]:
    """Without a name: a reviewer judges answers, not people."""
    return {
        "who": gettext("Answer {n}").format(n=vote.number),
        "value": vote.value,
        "words": vote.words,
        "comment": vote.comment,
        "skip_reason": vote.skip_reason,
    }


def why(lane: str, reason: Mapping[str, Any], *, blind: bool, label_names: Sequence[str], learns: bool = True) -> str:
    """One sentence. Where the suggestion is hidden the sentence must not give it away."""
    strategy = reason.get("strategy", NO_STRATEGY)
    if strategy == "tie":
        return gettext("The answers so far are split. Yours settles it.")
    if strategy == "asked":
        return gettext("Somebody wants a second look at this one. What it is labeled now stays hidden.")
    if strategy == "begun":
        return gettext("Somebody has answered it already, and this project wants more than one answer of each example.")
    if lane == Lane.REVIEW and reason.get("why") == ReviewWhy.FLAG:
        return why_flagged()
    if not learns and (lane in (Lane.RANDOM, Lane.HOLDOUT) or (strategy == NO_STRATEGY and lane == Lane.ACTIVE)):
        return why_by_chance()
    if lane == Lane.DRIFT and "since" in reason:
        return why_alarm(reason)
    if lane != Lane.ACTIVE:
        return why_lane(lane)
    if strategy == NO_STRATEGY:
        return gettext("No model has learned from this project yet, so the order is by chance.")
    if blind and "first" in reason:
        return why_blind()
    template, filled = reason_template(reason, label_names)
    return gettext(template).format(**filled)


def example_json(example: Example, project: Project) -> dict[str, Any]:
    task, fields = task_types.get(project.task_type), example.fields
    shown: dict[str, Any] = {"id": example.pk, "external_id": example.external_id, "kind": task.kind}
    shown["summary"] = task.summary(fields, example.external_id)
    if task.payload.has_image:
        shown["image_url"] = reverse("datasets:image", args=[project.pk, example.pk])
    return shown | task.payload.shown(fields)


def saved_json(saved: Saved, project: Project) -> dict[str, Any]:
    """What the desk is told of a stored answer; a gold example's known answer only where the project tells it."""
    judged, annotation = saved.judged, saved.annotation
    told = judged if judged and project.queue.gold_feedback else None
    return {
        "client_id": str(annotation.client_id),
        "surplus": annotation.surplus,
        "gold": {"right": told.right, "expected": told.expected, "words": told.words, "explanation": told.explanation}
        if told
        else None,
    }


def empty_json(empty: EmptyQueue) -> dict[str, Any]:
    return {
        "title": empty.title,
        "sentence": empty.sentence,
        "next": empty.then,
        "frees_at": empty.frees_at.isoformat() if empty.frees_at else None,
    }


def progress_json(project: Project, by: User, at: datetime) -> dict[str, Any]:
    own, team = selectors.own_progress(project, by, at), selectors.team_progress(project)
    return {
        "today": own.today,
        "mean_s": own.mean_s,
        "labeled": team.labeled,
        "examples": team.examples,
        "waiting": {"review": selectors.reviews_waiting(project, by)},
    }


def progress_due(project: Project, by: User, at: datetime) -> dict[str, Any] | None:
    """None when this person was told moments ago: the desk counts by itself in between."""
    key = (project.pk, by.pk)
    if memory.progress_told.get(key):
        return None
    memory.progress_told.put(key, True)
    return progress_json(project, by, at)


def past_json(project: Project, by: User) -> list[dict[str, Any]]:
    """Newest first, as many as can be undone."""
    task, schema = task_types.get(project.task_type), schema_of(project)
    retired = {x.name for x in schema.labels if x.retired_at}
    return [
        {
            "client_id": str(p.client_id),
            "summary": task.summary(p.example.fields, p.example.external_id),
            "answer": p.words,
            "at": p.answered_at.isoformat(),
            "guidelines": p.guidelines,
            "value": p.value,
            "skip_reason": p.skip_reason,
            "comment": p.comment,
            "flagged": p.flagged,
            "lane": SHOWN_AS.get(Lane(p.lane), p.lane),
            "retired": [name for name in task.answer.labels_in(p.value) if name in retired] if p.value else [],
            "example": example_json(p.example, project),
        }
        for p in selectors.past_answers(project, by)
    ]
