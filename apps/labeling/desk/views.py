"""The labeling desk: one page, and the JSON it speaks. Every answer survives being sent twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers

from apps.accounts.models import User
from apps.errors import Invalid
from apps.labeling.desk import presenters, selectors
from apps.labeling.desk.seat import seat_of
from apps.labeling.models import QUEUED_LANES, Assignment, ErrorKind, Lane, SkipReason
from apps.labeling.services.annotations import Answer, annotation_take
from apps.labeling.services.assignments import MOST_HELD, Asked, assignments_release, assignments_renew
from apps.labeling.services.queue import queue_next
from apps.labeling.services.undo import UNDO_DEPTH, annotation_edit, annotation_withdraw
from apps.projects import task_types
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import guidelines_of, schema_of


def desk_call(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """POST by somebody who may label. Whoever was signed out is told so in JSON and keeps what they have."""

    @login_required
    @project_permission(Permission.LABEL)
    def asked(request: HttpRequest, project: Project) -> HttpResponse:
        return view(request, project, Permission.REVIEW in permissions_of(request.user, project.pk))

    @require_POST
    @wraps(view)
    def called(request: HttpRequest, project_id: int) -> HttpResponseBase:
        seat = seat_of(request, project_id)
        if seat and seat.may(Permission.LABEL):
            request.user = seat.user
            return view(request, seat.project, seat.may(Permission.REVIEW))
        if not request.user.is_authenticated and "application/json" in request.headers.get("Accept", ""):
            words = _("You were signed out. Sign in again; your answers are kept in this browser.")
            return JsonResponse({"error": words, "code": "signed_out"}, status=401)
        return asked(request, project_id)  # says what is missing

    return called


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _read(request: HttpRequest, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The checked body. Raises Invalid with one sentence naming the first field that does not fit."""
    try:
        body = json.loads(request.body or b"null")
    except ValueError:
        raise Invalid(gettext("The request is not JSON.")) from None
    try:
        return dict(_checker(serializer).run_validation(body))
    except serializers.ValidationError as refused:
        found = refused.detail if isinstance(refused.detail, dict) else {"body": refused.detail}
        field, reasons = next(iter(found.items()))
        raise Invalid(f"{field}: {_first(reasons)}", fields=found) from None


@cache
def _checker(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all requests: making its fields costs more than checking with them, and checking keeps no state."""
    return serializer()


def _first(reasons: Any) -> str:
    while isinstance(reasons, list | dict):
        reasons = next(iter(reasons.values() if isinstance(reasons, dict) else reasons), "does not fit.")
    return str(reasons)


@require_GET
@login_required
@project_permission(Permission.LABEL)
def desk(request: HttpRequest, project: Project) -> HttpResponse:
    by, at, task = _user(request), timezone.now(), task_types.get(project.task_type)
    labels = [{"name": x.name, "color": x.color, "hotkey": x.hotkey} for x in schema_of(project).offered]
    context = {
        "project": project,
        "task": task,
        "labels": labels,
        "guidelines": guidelines_of(project),
        "skip_reasons": SkipReason.choices,
        "error_kinds": ErrorKind.choices,
        "progress": presenters.progress_json(project, by, at),
        "past": presenters.past_json(project, by),
        "lane": Lane.REVIEW if request.GET.get("lane") == Lane.REVIEW else "",
        "undo_depth": UNDO_DEPTH,
    }
    return render(request, "labeling/desk.html", context)


class LaneField(serializers.ChoiceField):
    def __init__(self, **more: Any) -> None:
        super().__init__(choices=list(QUEUED_LANES), required=False, allow_blank=True, default="", **more)


class NextInput(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=0, max_value=MOST_HELD)
    lane = LaneField()


@desk_call
def next_examples(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    """What a reload lost comes back first, then new leases."""

    given, by, at = _read(request, NextInput), _user(request), timezone.now()
    wanted = Wanted(given["count"], given["lane"], may_review, with_held=True)
    reply = _hand_out(project, by, at, wanted)
    return JsonResponse({**reply, "progress": presenters.progress_due(project, by, at)})


class AnswerInput(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    label = serializers.CharField(required=False, default="", allow_blank=True, max_length=80, trim_whitespace=False)
    value = serializers.DictField(required=False, default=None, allow_null=True)
    skip_reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=20)
    comment = serializers.CharField(required=False, default="", allow_blank=True)
    flagged = serializers.BooleanField(required=False, default=False)
    error_kind = serializers.CharField(required=False, default="", allow_blank=True, max_length=20)
    active_ms = serializers.IntegerField(required=False, default=0, min_value=0)
    shown_at = serializers.DateTimeField(required=False, default=None, allow_null=True)


class SubmitInput(AnswerInput):
    assignment = serializers.IntegerField(min_value=1)
    token = serializers.UUIDField()
    want = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MOST_HELD)
    lane = LaneField()


@desk_call
def answer(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    given, by, at = _read(request, SubmitInput), _user(request), timezone.now()
    want, only = given.pop("want"), given.pop("lane")
    said = Answer(assignment_id=given.pop("assignment"), **given)
    saved = annotation_take(project=project, answer=said, by=by, at=at)
    reply = _hand_out(project, by, at, Wanted(want, only, may_review)) if want else NOTHING_MORE
    return JsonResponse(
        {"saved": presenters.saved_json(saved, project), **reply, "progress": presenters.progress_due(project, by, at)}
    )


NOTHING_MORE: dict[str, Any] = {"assignments": [], "empty": None}


@dataclass(frozen=True)
class Wanted:
    """Examples asked for; `with_held` for a page that was just opened: what it held before counts and comes first."""

    count: int
    only: str
    may_review: bool
    with_held: bool = False


def _hand_out(project: Project, by: User, at: datetime, wanted: Wanted) -> dict[str, Any]:
    asked = Asked()
    leased = queue_next(
        project=project,
        by=by,
        count=wanted.count,
        at=at,
        seed=int(at.timestamp() * 1e6),
        only=wanted.only,
        may_review=wanted.may_review,
        in_all=wanted.with_held,
        asked=asked,
    )
    held = selectors.assignments_held(project, asked.held, only=wanted.only) if wanted.with_held and asked.held else []
    nothing = wanted.count > 0 and not leased and not held
    empty = selectors.why_empty(project, by, at, only=wanted.only) if nothing else None
    return {
        "assignments": _assignments_json(project, [*held, *leased]),
        "empty": presenters.empty_json(empty) if empty else None,
    }


def _assignments_json(project: Project, shown: Sequence[Assignment]) -> list[dict[str, Any]]:
    if not shown:
        return []
    guessed = any("first" in a.reason for a in shown)
    names = schema_of(project).names if guessed else ()
    return [
        presenters.assignment_json(
            a, label_names=names, votes=selectors.votes_of(a.example_id, project) if a.lane == Lane.REVIEW else ()
        )
        for a in shown
    ]


class EditInput(AnswerInput):
    of = serializers.UUIDField()


@desk_call
def edit(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    """Replace one of the last answers."""

    given, by, at = _read(request, EditInput), _user(request), timezone.now()
    of = given.pop("of")
    said = Answer(assignment_id=0, token=of, **given)
    saved = annotation_edit(project=project, of=of, answer=said, by=by, at=at)
    progress = presenters.progress_json(project, by, at)
    return JsonResponse({"saved": presenters.saved_json(saved, project), "progress": progress})


class UndoInput(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()


@desk_call
def undo(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    client_id, by, at = _read(request, UndoInput)["client_id"], _user(request), timezone.now()
    assignment = annotation_withdraw(project_id=project.pk, client_id=client_id, by=by, at=at)
    again = _assignments_json(project, [assignment])[0]
    return JsonResponse({"assignment": again, "progress": presenters.progress_json(project, by, at)})


@require_GET
@login_required
@project_permission(Permission.LABEL)
def past(request: HttpRequest, project: Project) -> HttpResponse:
    """The last answers, as many as can be undone or edited."""
    return JsonResponse({"past": presenters.past_json(project, _user(request))})


class Leases(serializers.Serializer[Any]):
    """[[id, token], ...], as `renew` and `release` take them."""

    leases = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), min_length=2, max_length=2),
        max_length=5 * MOST_HELD,
    )

    def validate_leases(self, pairs: list[list[str]]) -> list[tuple[int, Any]]:
        number, token = serializers.IntegerField(min_value=1), serializers.UUIDField()
        return [(number.run_validation(a), token.run_validation(b)) for a, b in pairs]


@desk_call
def renew(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    leases = _read(request, Leases)["leases"]
    return JsonResponse({"held": assignments_renew(by=_user(request), leases=leases, at=timezone.now())})


@desk_call
def release(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    leases = _read(request, Leases)["leases"]
    return JsonResponse({"released": assignments_release(by=_user(request), leases=leases, at=timezone.now())})
