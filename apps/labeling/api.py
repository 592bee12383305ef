"""The queue over the API: lease the next examples, answer, undo."""

import uuid
from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.labeling.desk.presenters import SHOWN_AS
from apps.labeling.desk.selectors import why_empty
from apps.labeling.models import QUEUED_LANES, Assignment, ErrorKind, Lane, SkipReason
from apps.labeling.selectors import labels_of
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import MOST_HELD
from apps.labeling.services.queue import queue_next
from apps.labeling.services.undo import annotation_withdraw
from apps.projects.access import permissions_of
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class AssignmentOutput(serializers.Serializer):
    id = serializers.IntegerField()
    token = serializers.UUIDField(help_text="Send it back with the answer; it proves that the lease is yours.")
    example_id = serializers.IntegerField()
    external_id = serializers.CharField(source="example.external_id")
    payload = serializers.JSONField(source="example.fields", help_text="What is stored of the example.")
    lane = serializers.SerializerMethodField(help_text="Gold examples are not told apart from the active lane.")
    reason = serializers.SerializerMethodField()
    suggestion = serializers.CharField(help_text="One label by name; of other kinds of answers see suggested_value.")
    suggested_value = serializers.JSONField(allow_null=True)
    suggestion_confidence = serializers.FloatField(allow_null=True)
    leased_until = serializers.DateTimeField()

    def get_lane(self, assignment: Assignment) -> str:
        return str(SHOWN_AS.get(Lane(assignment.lane), assignment.lane))

    def get_reason(self, assignment: Assignment) -> dict[str, Any]:
        return {} if assignment.lane == Lane.GOLD else dict(assignment.reason)


class EmptyOutput(serializers.Serializer):
    title = serializers.CharField()
    sentence = serializers.CharField()
    then = serializers.CharField(help_text="What happens next.")
    frees_at = serializers.DateTimeField(allow_null=True)


class NextAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.LABEL}

    class InputSerializer(serializers.Serializer):
        count = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MOST_HELD)
        lane = serializers.ChoiceField(
            choices=list(QUEUED_LANES),
            required=False,
            default="",
            allow_blank=True,
            help_text="Take from this lane only, as those who came to review do.",
        )

    class OutputSerializer(serializers.Serializer):
        assignments = AssignmentOutput(many=True)
        empty = EmptyOutput(allow_null=True)

    @extend_schema(
        operation_id="assignments_next",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Lease the next examples",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        by, at = cast(User, request.user), timezone.now()
        count, only = given.validated_data["count"], given.validated_data["lane"]
        leased = queue_next(
            project=self.project,
            by=by,
            count=count,
            at=at,
            seed=uuid.uuid4().int % 2**31,
            only=only,
            may_review=Permission.REVIEW in permissions_of(by, project_id),
        )
        empty = None if leased else why_empty(self.project, by, at, only=only)
        return Response(self.OutputSerializer({"assignments": leased, "empty": empty}).data)


class AnnotationOutput(serializers.Serializer):
    client_id = serializers.UUIDField()
    example_id = serializers.IntegerField()
    label = serializers.CharField(source="label.name", default=None, allow_null=True)
    value = serializers.JSONField(allow_null=True, help_text="For kinds of answers that are more than one label.")
    skip_reason = serializers.CharField()
    comment = serializers.CharField()
    flagged = serializers.BooleanField()
    answered_at = serializers.DateTimeField()
    surplus = serializers.BooleanField()


class AnnotationsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.LABEL}

    class InputSerializer(serializers.Serializer):
        client_id = serializers.UUIDField(help_text="Made by you; the same one again stores nothing twice.")
        assignment = serializers.IntegerField()
        token = serializers.UUIDField()
        label = serializers.CharField(required=False, default="", allow_blank=True)
        value = serializers.DictField(
            required=False,
            default=None,
            allow_null=True,
            help_text='{"labels": [..]}, {"spans": [{"start", "end", "label"}]} (code points, end exclusive) or '
            '{"boxes": [{"x", "y", "width", "height", "label"}]} (pixels), as the task type says.',
        )
        skip_reason = serializers.ChoiceField(choices=SkipReason.choices, required=False, default="", allow_blank=True)
        comment = serializers.CharField(required=False, default="", allow_blank=True)
        flagged = serializers.BooleanField(required=False, default=False)
        error_kind = serializers.ChoiceField(
            choices=ErrorKind.choices,
            required=False,
            default="",
            allow_blank=True,
            help_text="In the review lane: why the answers differed.",
        )
        active_ms = serializers.IntegerField(required=False, default=0, min_value=0)
        shown_at = serializers.DateTimeField(required=False, default=None, allow_null=True)

    @extend_schema(
        operation_id="annotations_submit",
        request=InputSerializer,
        responses={201: AnnotationOutput},
        summary="Answer or skip",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        answer = Answer(assignment_id=values.pop("assignment"), **values)
        stored = annotation_submit(
            project_id=self.project.pk, answer=answer, by=cast(User, request.user), at=timezone.now()
        )
        return Response(AnnotationOutput(stored).data, status=201)


class AnnotationAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"DELETE": Permission.LABEL}

    @extend_schema(
        operation_id="annotations_withdraw",
        responses={204: OpenApiResponse(description="Withdrawn; the example is yours again")},
        summary="Undo one of your last answers",
    )
    def delete(self, request: Request, project_id: int, client_id: uuid.UUID) -> Response:
        annotation_withdraw(
            project_id=self.project.pk, client_id=client_id, by=cast(User, request.user), at=timezone.now()
        )
        return Response(status=204)


class LabelsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    class OutputSerializer(serializers.Serializer):
        example_id = serializers.IntegerField()
        external_id = serializers.CharField(source="example.external_id")
        label = serializers.CharField(source="label.name", default=None, allow_null=True)
        value = serializers.JSONField(allow_null=True)
        source = serializers.CharField()
        holdout = serializers.BooleanField()
        lane = serializers.CharField()
        resolved_at = serializers.DateTimeField()

    @extend_schema(operation_id="labels_list", responses=OutputSerializer(many=True), summary="Resolved labels")
    def get(self, request: Request, project_id: int) -> Response:
        labels = labels_of(self.project)
        return self.page(labels, self.OutputSerializer)
