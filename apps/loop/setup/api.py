"""Projects over the API: what a member may open, one of them, a new one."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.loop.setup.services import project_open
from apps.projects import task_types
from apps.projects.access import projects_visible_to
from apps.projects.api_access import ListingAPI, ProjectAPI
from apps.projects.roles import Permission
from apps.projects.schema import project_rename
from apps.projects.services import LabelSpec


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
    overlap = serializers.IntegerField(source="queue.overlap")
    strategy = serializers.CharField(source="queue.strategy")
    created_at = serializers.DateTimeField()
    labels = LabelField(many=True)


class ProjectsAPI(ListingAPI):
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
        found = projects_visible_to(cast(User, request.user)).select_related("queue").prefetch_related("labels")
        return self.page(found, ProjectOutput)

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
        project = project_open(**values, labels=labels, by=cast(User, request.user), at=timezone.now())
        return Response(ProjectOutput(project).data, status=201)


class ProjectDetailAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_PROJECT, "PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(max_length=80)

    @extend_schema(operation_id="projects_read", responses=ProjectOutput, summary="One project with its labels")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(ProjectOutput(self.project).data)

    @extend_schema(
        operation_id="projects_rename",
        request=InputSerializer,
        responses=ProjectOutput,
        summary="Rename a project; its address and its model name stay",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        name, by = given.validated_data["name"], cast(User, request.user)
        return Response(ProjectOutput(project_rename(project=self.project, name=name, by=by, at=timezone.now())).data)
