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
from apps.labeling.inputs import NextInput, SubmitInput
from apps.labeling.models import Assignment, Lane
from apps.labeling.selectors import labels_of
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest
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

    class OutputSerializer(serializers.Serializer):
        assignments = AssignmentOutput(many=True)
        empty = EmptyOutput(allow_null=True)

    @extend_schema(
        operation_id="assignments_next",
        request=NextInput,
        responses=OutputSerializer,
        summary="Lease the next examples",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = NextInput(data=request.data)
        given.is_valid(raise_exception=True)
        by, at = cast(User, request.user), timezone.now()
        count, only, seed = given.validated_data["count"], given.validated_data["lane"], uuid.uuid4().int % 2**31
        may_review = Permission.REVIEW in permissions_of(by, project_id)
        leased = queue_next(QueueRequest(self.project, by, count, at, seed, may_review=may_review, only=only))
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

    @extend_schema(
        operation_id="annotations_submit",
        request=SubmitInput,
        responses={201: AnnotationOutput},
        summary="Answer or skip",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = SubmitInput(data=request.data)
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
