"""Projects over the API."""

from typing import ClassVar, cast

from django.db.models import Prefetch
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.pages.pagination import Pages
from apps.projects import task_types
from apps.projects.access import projects_visible_to
from apps.projects.api_access import ProjectAPI
from apps.projects.models import SchemaLabel
from apps.projects.queue_settings import queue_settings_of, queue_settings_set
from apps.projects.roles import Permission, Role
from apps.projects.selectors import members_of
from apps.projects.services import LabelSpec, member_remove, member_set, project_create

LABELS = Prefetch("labels", SchemaLabel.objects.order_by("position"))


class LabelField(serializers.Serializer):
    name = serializers.CharField(max_length=80)
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False, default="")
    hotkey = serializers.CharField(max_length=1, required=False, default="", allow_blank=True)


class ProjectOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField(help_text="The model name of the predictor.")
    task_type = serializers.CharField()
    holdout_share = serializers.FloatField()
    overlap = serializers.IntegerField()
    strategy = serializers.CharField()
    created_at = serializers.DateTimeField()
    labels = LabelField(many=True)


class ProjectsAPI(APIView):
    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(max_length=80)
        task_type = serializers.ChoiceField(choices=task_types.choices())
        labels = LabelField(many=True, allow_empty=False)
        guidelines = serializers.CharField(required=False, default="", allow_blank=True)
        holdout_share = serializers.FloatField(required=False, default=0.05, min_value=0.01, max_value=0.5)
        overlap = serializers.IntegerField(required=False, default=1, min_value=1, max_value=5)

    @extend_schema(
        operation_id="projects_list", responses=ProjectOutput(many=True), summary="Projects you are a member of"
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        found = projects_visible_to(cast(User, request.user)).prefetch_related(LABELS)
        return pages.get_paginated_response(
            ProjectOutput(pages.paginate_queryset(found, request, view=self), many=True).data
        )

    @extend_schema(
        operation_id="projects_create",
        request=InputSerializer,
        responses={201: ProjectOutput},
        summary="Create a project",
    )
    def post(self, request: Request) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        labels = [LabelSpec(**label) for label in values.pop("labels")]
        project = project_create(**values, labels=labels, by=cast(User, request.user), at=timezone.now())
        return Response(ProjectOutput(project).data, status=201)


class ProjectDetailAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_PROJECT}

    @extend_schema(operation_id="projects_read", responses=ProjectOutput, summary="One project with its labels")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(ProjectOutput(self.project).data)


class QueueAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_PROJECT, "PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        strategy = serializers.CharField(required=False, max_length=40)
        encoder = serializers.CharField(required=False, max_length=80, allow_blank=True)
        overlap = serializers.IntegerField(required=False)
        lane_weights = serializers.DictField(child=serializers.IntegerField(min_value=0), required=False)
        lane_overlap = serializers.DictField(child=serializers.IntegerField(min_value=1), required=False)
        consensus = serializers.CharField(required=False, max_length=12)
        review_at_most = serializers.FloatField(required=False)
        blind_share = serializers.FloatField(required=False)
        planted_share = serializers.FloatField(required=False)
        gold_failures = serializers.IntegerField(required=False)
        gold_feedback = serializers.BooleanField(required=False)

    class OutputSerializer(serializers.Serializer):
        strategy = serializers.CharField()
        encoder = serializers.CharField()
        overlap = serializers.IntegerField(help_text="Answers wanted for each example.")
        lane_weights = serializers.DictField(child=serializers.IntegerField())
        lane_overlap = serializers.DictField(
            child=serializers.IntegerField(), help_text="Lanes that want another number."
        )
        consensus = serializers.CharField(
            help_text="majority, dawid-skene, or best: whichever is right more often on gold."
        )
        review_at_most = serializers.FloatField(
            help_text="Agreement of the votes, 0 to 1, at which a reviewer decides."
        )
        blind_share = serializers.FloatField(help_text="Of the examples with a suggestion: how many show none.")
        planted_share = serializers.FloatField(help_text="Of gold examples: how many suggest a wrong label on purpose.")
        gold_failures = serializers.IntegerField(help_text="Wrong gold answers in a row, then a pause; 0 for never.")
        gold_feedback = serializers.BooleanField(
            help_text="Whether a gold answer is judged before the annotator’s eyes."
        )

    @extend_schema(operation_id="queue_read", responses=OutputSerializer, summary="How the queue is ordered")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self.OutputSerializer(queue_settings_of(self.project)).data)

    @extend_schema(
        operation_id="queue_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Set what you name; the rest stays, lanes included",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        given_by_name = dict(given.validated_data)
        project = queue_settings_set(
            project=self.project, by=cast(User, request.user), at=timezone.now(), **given_by_name
        )
        return Response(self.OutputSerializer(queue_settings_of(project)).data)


class MembersAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.MANAGE_MEMBERS, "POST": Permission.MANAGE_MEMBERS}

    class InputSerializer(serializers.Serializer):
        username = serializers.CharField()
        role = serializers.ChoiceField(choices=Role.choices)

    class OutputSerializer(serializers.Serializer):
        user_id = serializers.IntegerField()
        username = serializers.CharField(source="user.username")
        name = serializers.CharField(source="user")
        role = serializers.CharField()

    @extend_schema(
        operation_id="members_list", responses=OutputSerializer(many=True), summary="Members and their roles"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self.OutputSerializer(members_of(self.project), many=True).data)

    @extend_schema(
        operation_id="members_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Give a role, or change it",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = member_set(
            project=self.project, **given.validated_data, by=cast(User, request.user), at=timezone.now()
        )
        return Response(self.OutputSerializer(member).data)


class MemberAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"DELETE": Permission.MANAGE_MEMBERS}

    @extend_schema(
        operation_id="members_remove",
        responses={204: OpenApiResponse(description="Removed")},
        summary="Remove a member",
    )
    def delete(self, request: Request, project_id: int, user_id: int) -> Response:
        member_remove(project=self.project, user_id=user_id, by=cast(User, request.user), at=timezone.now())
        return Response(status=204)
