"""Notices over the API: those a person may see over all projects, what is done with them, and how the person hears."""

import re
from datetime import datetime, time
from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.notices import choosing, selectors, services, trials
from apps.notices.models import MailState, Notice, NoticeLevel
from apps.notices.policies import NOTICE_POLICY
from apps.notices.selectors import STATES, NoticeFilter
from apps.notices.telling import mail_on, tellings_read
from apps.pages.asked import number_asked, text_asked
from apps.projects.api_access import ListingAPI
from apps.projects.policies.api import VersionedPolicyAPI, policy_schema
from apps.projects.roles import Permission
from apps.rules.notices import NoticeChannel, SnoozeSpan

CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


@extend_schema_field({"type": "string", "pattern": CLOCK})
class ClockField(serializers.TimeField):
    """A time of day in hours and minutes: RFC 3339 knows none without a zone, and here it is the reader's."""

    def __init__(self, **given: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **given)

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not re.fullmatch(CLOCK, value):
            self.fail("invalid", format="hh:mm")
        return super().to_internal_value(value)


def _somebody(source: str) -> serializers.CharField:
    return serializers.CharField(source=f"{source}.username", default=None, allow_null=True, help_text="A user name.")


class NoticeOutput(serializers.Serializer):
    id = serializers.IntegerField()
    project = serializers.IntegerField(source="project_id")
    kind = serializers.CharField()
    severity = serializers.ChoiceField(choices=NoticeLevel.values)
    sentence = serializers.CharField(help_text="In English, as the audit trail has it.")
    subject = serializers.CharField(help_text="What it is about, such as “run 3”.")
    opened_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    times_seen = serializers.IntegerField()
    unread = serializers.BooleanField(default=False, help_text="By whoever asks.")
    snoozed_until = serializers.DateTimeField(allow_null=True)
    assigned_to = _somebody("assigned_to")
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = _somebody("resolved_by")
    note = serializers.CharField()
    turn = serializers.IntegerField(help_text="Counts what people did with it; send it as `over`.")


class NoticeCommentOutput(serializers.Serializer):
    id = serializers.IntegerField()
    by = serializers.CharField(source="by_name")
    at = serializers.DateTimeField()
    text = serializers.CharField()


class NoticeDetailOutput(NoticeOutput):
    comments = NoticeCommentOutput(many=True, source="comments.all")


class TurnSent(serializers.Serializer):
    over = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="The turn that you read: where somebody was first, yours is refused (409).",
    )


class SnoozeSent(TurnSent):
    span = serializers.ChoiceField(choices=[*SnoozeSpan, ""], help_text="Empty brings it back.")


class AssignSent(TurnSent):
    username = serializers.CharField(max_length=150, allow_blank=True, help_text="Empty: nobody.")


class CommentSent(serializers.Serializer):
    text = serializers.CharField(max_length=services.MOST_COMMENT, trim_whitespace=False)


class NoticeResolveSent(TurnSent):
    note = serializers.CharField(max_length=services.MOST_NOTE)


class ChoicesOutput(serializers.Serializer):
    levels = serializers.DictField(
        child=serializers.ChoiceField(choices=list(NoticeChannel)), help_text="“kind.severity” or “assigned” to a way."
    )
    mail_to = serializers.CharField()
    quiet_begins = ClockField(allow_null=True, help_text="In your zone.")
    quiet_ends = ClockField(allow_null=True)
    alarms_pass = serializers.BooleanField(help_text="Alarms come in quiet hours too.")


class ChoicesSent(serializers.Serializer):
    levels = serializers.DictField(child=serializers.CharField(max_length=10), required=False)
    mail_to = serializers.CharField(max_length=choosing.MOST_ADDRESS, allow_blank=True, required=False)
    quiet_begins = ClockField(allow_null=True, required=False)
    quiet_ends = ClockField(allow_null=True, required=False)
    alarms_pass = serializers.BooleanField(required=False)


class MailTrialOutput(serializers.Serializer):
    state = serializers.ChoiceField(choices=MailState.values)
    mail_to = serializers.CharField()
    created_at = serializers.DateTimeField()
    tried_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="What is wrong, in words.")


class NoticesReadOutput(serializers.Serializer):
    read = serializers.IntegerField()


class NoticesAPI(ListingAPI):
    @extend_schema(
        operation_id="notices_list",
        responses=NoticeOutput(many=True),
        summary="Notices of all your projects, newest first",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=[*STATES, "all"], default="open"),
            OpenApiParameter("severity", OpenApiTypes.STR, enum=NoticeLevel.values),
            OpenApiParameter("project", OpenApiTypes.INT),
            OpenApiParameter("mine", OpenApiTypes.BOOL, description="Those that are assigned to you."),
        ],
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        asked = NoticeFilter(
            text_asked(query, "state") or "open",
            text_asked(query, "severity"),
            number_asked(query, "project"),
            query.get("mine") in ("1", "true"),
        )
        rows = selectors.notices_listed(cast(User, request.user), asked, timezone.now()).order_by("-pk")
        return self.page(rows, NoticeOutput)


class NoticesReadAPI(ListingAPI):
    @extend_schema(
        operation_id="notices_read_all", request=None, responses=NoticesReadOutput, summary="Mark all as read"
    )
    def post(self, request: Request) -> Response:
        count = tellings_read(person=cast(User, request.user), notice=None, at=timezone.now())
        return Response({"read": count})


class NoticeAPI(ListingAPI):
    @extend_schema(
        operation_id="notices_read",
        responses=NoticeDetailOutput,
        summary="One notice with its comments; reading marks nothing",
    )
    def get(self, request: Request, notice_id: int) -> Response:
        found = selectors.notice_for(cast(User, request.user), notice_id)
        return Response(_detail(found))


class _NoticeActAPI(ListingAPI):
    """One thing that is done with a notice."""

    def found(self, request: Request, notice_id: int) -> tuple[Notice, User, datetime]:
        user = cast(User, request.user)
        return selectors.notice_for(user, notice_id, acts=True), user, timezone.now()


class NoticeSnoozeAPI(_NoticeActAPI):
    @extend_schema(
        operation_id="notices_snooze",
        request=SnoozeSent,
        responses=NoticeDetailOutput,
        summary="Put it off for everybody",
    )
    def post(self, request: Request, notice_id: int) -> Response:
        found, by, at = self.found(request, notice_id)
        given = _sent(SnoozeSent, request)
        zone = choosing.zone_of_reader(choosing.choices_of(by))
        return Response(_detail(services.notice_snooze(notice=found, by=by, at=at, zone=zone, **given)))


class NoticeAssignAPI(_NoticeActAPI):
    @extend_schema(
        operation_id="notices_assign",
        request=AssignSent,
        responses=NoticeDetailOutput,
        summary="Give it to a member who may act on it",
    )
    def post(self, request: Request, notice_id: int) -> Response:
        found, by, at = self.found(request, notice_id)
        return Response(_detail(services.notice_assign(notice=found, by=by, at=at, **_sent(AssignSent, request))))


class NoticeCommentsAPI(_NoticeActAPI):
    @extend_schema(
        operation_id="notices_comment",
        request=CommentSent,
        responses={201: NoticeCommentOutput},
        summary="Write about it",
    )
    def post(self, request: Request, notice_id: int) -> Response:
        found, by, at = self.found(request, notice_id)
        made = services.notice_comment(notice=found, by=by, at=at, **_sent(CommentSent, request))
        return Response(NoticeCommentOutput(made).data, status=201)


class NoticeResolveAPI(_NoticeActAPI):
    @extend_schema(
        operation_id="notices_resolve",
        request=NoticeResolveSent,
        responses=NoticeDetailOutput,
        summary="Close it with a note, and with it the alarm of the monitor",
    )
    def post(self, request: Request, notice_id: int) -> Response:
        found, by, at = self.found(request, notice_id)
        return Response(
            _detail(services.notice_resolve(notice=found, by=by, at=at, **_sent(NoticeResolveSent, request)))
        )


class NoticeChoicesAPI(ListingAPI):
    @extend_schema(operation_id="notice_choices_read", responses=ChoicesOutput, summary="How you hear of notices")
    def get(self, request: Request) -> Response:
        return Response(_choices(cast(User, request.user)))

    @extend_schema(
        operation_id="notice_choices_set",
        request=ChoicesSent,
        responses=ChoicesOutput,
        summary="Change what you name of it",
    )
    def patch(self, request: Request) -> Response:
        user, given = cast(User, request.user), _sent(ChoicesSent, request)
        kept = choosing.choices_of(user)
        names = ("mail_to", "quiet_begins", "quiet_ends", "alarms_pass")
        now = {"levels": {}} | {name: getattr(kept, name) for name in names} | given
        choosing.choices_set(person=user, at=timezone.now(), **now)
        return Response(_choices(user))


class MailOutput(serializers.Serializer):
    on = serializers.BooleanField(help_text="Whether the console has a mail server.")
    test = MailTrialOutput(allow_null=True, help_text="Your newest.")


class MailAPI(ListingAPI):
    @extend_schema(
        operation_id="notice_mail_read", responses=MailOutput, summary="Whether mail is on, and your newest test"
    )
    def get(self, request: Request) -> Response:
        newest = trials.trial_of(cast(User, request.user))
        return Response({"on": mail_on(), "test": MailTrialOutput(newest).data if newest else None})

    @extend_schema(
        operation_id="notice_mail_test",
        request=None,
        responses={202: MailTrialOutput},
        summary="Send yourself a test mail; read what came of it",
    )
    def post(self, request: Request) -> Response:
        made = trials.trial_start(person=cast(User, request.user), at=timezone.now())
        return Response(MailTrialOutput(made).data, status=202)


@policy_schema("notice_policy", read="Who in the project is told of what", write="Set who is told of what")
class NoticePolicyAPI(VersionedPolicyAPI):
    kind = NOTICE_POLICY
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR, "PUT": Permission.SET_MONITORS}


def _sent(form: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _detail(notice: Notice) -> Any:
    return NoticeDetailOutput(notice).data


def _choices(user: User) -> Any:
    return ChoicesOutput(choosing.choices_written(choosing.choices_of(user))).data
