"""The labeling desk: one page, and the JSON it speaks. Every answer survives being sent twice."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers

from apps.accounts.models import User
from apps.errors import Invalid
from apps.labeling.desk import presenters, selectors
from apps.labeling.desk.session import desk_session
from apps.labeling.inputs import AnswerInput, NextInput, SubmitInput
from apps.labeling.models import Assignment, ErrorKind, Lane, SkipReason
from apps.labeling.services.annotations import Answer
from apps.labeling.services.assignments import MOST_HELD, QueueRequest, assignments_release, assignments_renew
from apps.labeling.services.queue import answer_then_next, queue_next
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
        session = desk_session(request, project_id)
        if session and session.may(Permission.LABEL):
            request.user = session.user
            return view(request, session.project, session.may(Permission.REVIEW))
        if not request.user.is_authenticated and "application/json" in request.headers.get("Accept", ""):
            words = _("You were signed out. Sign in again; your answers are kept in this browser.")
            return JsonResponse({"error": words, "code": "signed_out"}, status=401)
        return asked(request, project_id)  # says what is missing

    return called


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _read(request: HttpRequest, checker: serializers.Serializer[Any]) -> dict[str, Any]:
    """The checked body. Raises Invalid with one sentence naming the first field that does not fit."""
    try:
        body = json.loads(request.body or b"null")
    except (ValueError, RecursionError):
        raise Invalid(_("The request is not JSON.")) from None
    try:
        return dict(checker.run_validation(body))
    except serializers.ValidationError as refused:
        found = refused.detail if isinstance(refused.detail, dict) else {"body": refused.detail}
        field, reasons = next(iter(found.items()))
        raise Invalid(f"{field}: {_first(reasons)}", fields=found) from None


def _first(reasons: Any) -> str:
    while isinstance(reasons, list | dict):
        reasons = next(iter(reasons.values() if isinstance(reasons, dict) else reasons), "does not fit.")
    return str(reasons)


@require_GET
@login_required
@project_permission(Permission.LABEL, changes=True)  # the archive has no desk
def desk(request: HttpRequest, project: Project) -> HttpResponse:
    by, at, task = _user(request), timezone.now(), task_types.get(project.task_type)
    offered = schema_of(project).offered
    labels = [{"name": x.name, "color": x.color, "hotkey": x.hotkey, "description": x.description} for x in offered]
    context = {
        "project": project,
        "task": task,
        "labels": labels,
        "described": [x for x in offered if x.description],
        "guidelines": guidelines_of(project),
        "skip_reasons": SkipReason.choices,
        "error_kinds": ErrorKind.choices,
        "progress": presenters.progress_json(project, by, at),
        "past": presenters.past_json(project, by),
        "lane": Lane.REVIEW if request.GET.get("lane") == Lane.REVIEW else "",
        "undo_depth": UNDO_DEPTH,
    }
    return render(request, "labeling/desk.html", context)


class DeskNextInput(NextInput):
    count = serializers.IntegerField(min_value=0, max_value=MOST_HELD)


class DeskSubmitInput(SubmitInput):
    want = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MOST_HELD)
    lane = NextInput().fields["lane"]


class EditInput(AnswerInput):
    of = serializers.UUIDField()


class UndoInput(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()


class LeasesInput(serializers.Serializer[Any]):
    """[[id, token], ...], as `renew` and `release` take them."""

    leases = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), min_length=2, max_length=2),
        max_length=5 * MOST_HELD,
    )

    def validate_leases(self, pairs: list[list[str]]) -> list[tuple[int, Any]]:
        number, token = serializers.IntegerField(min_value=1), serializers.UUIDField()
        return [(number.run_validation(a), token.run_validation(b)) for a, b in pairs]


# One of each for all requests: making the fields costs more than checking with them, and checking keeps no state.
NEXT, SUBMIT, EDIT, UNDO, LEASES = DeskNextInput(), DeskSubmitInput(), EditInput(), UndoInput(), LeasesInput()


@desk_call
def next_examples(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    """What a reload lost comes back first, then new leases."""

    given, by, at = _read(request, NEXT), _user(request), timezone.now()
    asked = QueueRequest(project, by, given["count"], at, _seed(at), may_review, given["lane"], with_held=True)
    return JsonResponse({**_handed_out(asked, queue_next(asked)), "progress": presenters.progress_due(project, by, at)})


@desk_call
def answer(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    given, by, at = _read(request, SUBMIT), _user(request), timezone.now()
    asked = QueueRequest(project, by, given.pop("want"), at, _seed(at), may_review, given.pop("lane"))
    saved, leased = answer_then_next(Answer(assignment_id=given.pop("assignment"), **given), asked)
    reply = _handed_out(asked, leased) if asked.count else {"assignments": [], "empty": None}
    return JsonResponse(
        {"saved": presenters.saved_json(saved, project), **reply, "progress": presenters.progress_due(project, by, at)}
    )


def _seed(at: datetime) -> int:
    return int(at.timestamp() * 1e6)


def _handed_out(asked: QueueRequest, leased: Sequence[Assignment]) -> dict[str, Any]:
    held = selectors.assignments_held(asked.project, asked.held, only=asked.only) if asked.with_held else []
    nothing = asked.count > 0 and not leased and not held
    empty = selectors.why_empty(asked.project, asked.by, asked.at, only=asked.only) if nothing else None
    return {
        "assignments": _assignments_json(asked.project, [*held, *leased]),
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


@desk_call
def edit(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    """Replace one of the last answers."""

    given, by, at = _read(request, EDIT), _user(request), timezone.now()
    of = given.pop("of")
    replacement = Answer(assignment_id=0, token=of, **given)
    saved = annotation_edit(project=project, of=of, answer=replacement, by=by, at=at)
    progress = presenters.progress_json(project, by, at)
    return JsonResponse({"saved": presenters.saved_json(saved, project), "progress": progress})


@desk_call
def undo(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    client_id, by, at = _read(request, UNDO)["client_id"], _user(request), timezone.now()
    assignment = annotation_withdraw(project_id=project.pk, client_id=client_id, by=by, at=at)
    again = _assignments_json(project, [assignment])[0]
    return JsonResponse({"assignment": again, "progress": presenters.progress_json(project, by, at)})


@require_GET
@login_required
@project_permission(Permission.LABEL)
def past(request: HttpRequest, project: Project) -> HttpResponse:
    """The last answers, as many as can be undone or edited."""
    return JsonResponse({"past": presenters.past_json(project, _user(request))})


@desk_call
def renew(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    leases = _read(request, LEASES)["leases"]
    return JsonResponse({"held": assignments_renew(by=_user(request), leases=leases, at=timezone.now())})


@desk_call
def release(request: HttpRequest, project: Project, may_review: bool) -> HttpResponse:
    leases = _read(request, LEASES)["leases"]
    return JsonResponse({"released": assignments_release(by=_user(request), leases=leases, at=timezone.now())})
