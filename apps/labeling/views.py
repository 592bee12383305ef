"""The labeling desk: one page, and the JSON it speaks. Every answer survives being sent twice."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers

from apps.accounts.models import User
from apps.errors import Invalid
from apps.labeling import presenters, selectors
from apps.labeling.models import Assignment, SkipReason
from apps.labeling.services.annotations import Answer, annotation_submit, annotation_withdraw
from apps.labeling.services.assignments import (
    MOST_HELD,
    assignments_next,
    assignments_release,
    assignments_renew,
)
from apps.labeling.services.frontier import frontier_refill
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import guidelines_of, schema_of


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _read(request: HttpRequest, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The checked body. Raises Invalid with one sentence naming the first field that does not fit."""
    try:
        body = json.loads(request.body or b"null")
    except ValueError:
        raise Invalid("The request is not JSON.") from None
    found = serializer(data=body)
    if not found.is_valid():
        field, reasons = next(iter(found.errors.items()))
        raise Invalid(f"{field}: {_first(reasons)}", fields=found.errors)
    return cast(dict[str, Any], found.validated_data)


def _first(reasons: Any) -> str:
    while isinstance(reasons, list | dict):
        reasons = next(iter(reasons.values() if isinstance(reasons, dict) else reasons), "does not fit.")
    return str(reasons)


@require_GET
@login_required
@project_permission(Permission.LABEL)
def desk(request: HttpRequest, project: Project) -> HttpResponse:
    by, at, task = _user(request), timezone.now(), task_types.get(project.task_type)
    labels = [{"name": x.name, "color": x.color, "hotkey": x.hotkey} for x in schema_of(project).labels]
    context = {
        "project": project, "task": task, "labels": labels, "guidelines": guidelines_of(project),
        "skip_reasons": SkipReason.choices, "progress": presenters.progress_json(project, by, at),
        "past": presenters.past_json(project, by),
    }  # fmt: skip
    return render(request, "labeling/desk.html", context)


@require_POST
@login_required
@project_permission(Permission.LABEL)
def next_examples(request: HttpRequest, project: Project) -> HttpResponse:
    """What a reload lost comes back first, then new leases."""

    class Input(serializers.Serializer[Any]):
        count = serializers.IntegerField(min_value=0, max_value=MOST_HELD)

    count, by, at = _read(request, Input)["count"], _user(request), timezone.now()
    held = list(selectors.assignments_held(project, by, at)[:MOST_HELD])
    return JsonResponse(_hand_out(project, by, at, held=held, count=count - len(held)))


@require_POST
@login_required
@project_permission(Permission.LABEL)
def answer(request: HttpRequest, project: Project) -> HttpResponse:
    class Input(serializers.Serializer[Any]):
        client_id = serializers.UUIDField()
        assignment = serializers.IntegerField(min_value=1)
        token = serializers.UUIDField()
        label = serializers.CharField(required=False, allow_blank=True, max_length=80, trim_whitespace=False)
        skip_reason = serializers.CharField(required=False, allow_blank=True, max_length=20)
        active_ms = serializers.IntegerField(required=False, default=0, min_value=0)
        shown_at = serializers.DateTimeField(required=False, allow_null=True)
        want = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MOST_HELD)

    given, by, at = _read(request, Input), _user(request), timezone.now()
    saved = annotation_submit(project_id=project.pk, answer=_answer_of(given), by=by, at=at)
    reply = _hand_out(project, by, at, held=[], count=given["want"])
    return JsonResponse({"saved": {"client_id": str(saved.client_id), "surplus": saved.surplus}, **reply})


def _answer_of(given: dict[str, Any]) -> Answer:
    return Answer(
        client_id=given["client_id"], assignment_id=given["assignment"], token=given["token"],
        label=given.get("label", ""), skip_reason=given.get("skip_reason", ""),
        active_ms=given["active_ms"], shown_at=given.get("shown_at"),
    )  # fmt: skip


def _hand_out(project: Project, by: User, at: datetime, *, held: Sequence[Assignment], count: int) -> dict[str, Any]:
    """Up to `count` new leases behind the held ones. An empty queue is topped up once before it is called empty."""
    seed = int(at.timestamp() * 1e6)
    leased = assignments_next(project=project, by=by, count=count, at=at, seed=seed)
    if count > 0 and not leased and frontier_refill(project=project, at=at, seed=seed % 2**31):
        leased = assignments_next(project=project, by=by, count=count, at=at, seed=seed)
    prefetch_related_objects(leased, "example")
    names = schema_of(project).names
    empty = selectors.why_empty(project, by, at) if count > 0 and not leased and not held else None
    return {
        "assignments": [presenters.assignment_json(a, label_names=names) for a in [*held, *leased]],
        "empty": presenters.empty_json(empty) if empty else None,
        "progress": presenters.progress_json(project, by, at),
    }


@require_POST
@login_required
@project_permission(Permission.LABEL)
def undo(request: HttpRequest, project: Project) -> HttpResponse:
    class Input(serializers.Serializer[Any]):
        client_id = serializers.UUIDField()

    client_id, by, at = _read(request, Input)["client_id"], _user(request), timezone.now()
    assignment = annotation_withdraw(project_id=project.pk, client_id=client_id, by=by, at=at)
    again = presenters.assignment_json(assignment, label_names=schema_of(project).names)
    return JsonResponse({"assignment": again, "progress": presenters.progress_json(project, by, at)})


class Leases(serializers.Serializer[Any]):
    """[[id, token], ...], as `renew` and `release` take them."""

    leases = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), min_length=2, max_length=2),
        max_length=5 * MOST_HELD,
    )

    def validate_leases(self, pairs: list[list[str]]) -> list[tuple[int, Any]]:
        number, token = serializers.IntegerField(min_value=1), serializers.UUIDField()
        return [(number.run_validation(a), token.run_validation(b)) for a, b in pairs]


@require_POST
@login_required
@project_permission(Permission.LABEL)
def renew(request: HttpRequest, project: Project) -> HttpResponse:
    leases = _read(request, Leases)["leases"]
    return JsonResponse({"held": assignments_renew(by=_user(request), leases=leases, at=timezone.now())})


@require_POST
@login_required
@project_permission(Permission.LABEL)
def release(request: HttpRequest, project: Project) -> HttpResponse:
    leases = _read(request, Leases)["leases"]
    return JsonResponse({"released": assignments_release(by=_user(request), leases=leases, at=timezone.now())})
