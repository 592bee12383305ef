"""Projects over the API: what a member may open, one of them, a new one."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.loop.api import FLAGS
from apps.loop.closing.api import DeletionInput, DeletionOutput, deletion_asked
from apps.loop.closing.services import project_change, project_delete
from apps.loop.setup.services import project_open
from apps.pages.asked import text_asked
from apps.projects import task_types
from apps.projects.access import projects_visible_to
from apps.projects.api_access import ListingAPI, ProjectAPI
from apps.projects.roles import Permission
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
    archived_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then it can be read only, and nothing of it starts by itself."
    )
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
        operation_id="projects_list",
        responses=ProjectOutput(many=True),
        parameters=[
            OpenApiParameter("archived", OpenApiTypes.BOOL, description="`true` lists those in the archive instead.")
        ],
        summary="Projects you are a member of",
    )
    def get(self, request: Request) -> Response:
        archived = FLAGS.get(text_asked(request.query_params, "archived"), False)
        mine = projects_visible_to(cast(User, request.user), archived=archived)
        found = mine.select_related("queue").prefetch_related("labels")
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
    needs: ClassVar[dict[str, Permission]] = {
        "GET": Permission.VIEW_PROJECT,
        "PATCH": Permission.EDIT_PROJECT,
        "DELETE": Permission.EDIT_PROJECT,
    }
    in_archive: ClassVar[frozenset[str]] = frozenset({"PATCH", "DELETE"})

    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(max_length=80, required=False)
        archived = serializers.BooleanField(required=False, help_text="Into the archive, or out of it.")

    @extend_schema(operation_id="projects_read", responses=ProjectOutput, summary="One project with its labels")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(ProjectOutput(self.project).data)

    @extend_schema(
        operation_id="projects_rename",
        request=InputSerializer,
        responses=ProjectOutput,
        summary="Rename a project, put it into the archive or take it out",
        description="Its address and its model name stay. What is archived can be read only.",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        by = cast(User, request.user)
        changed = project_change(project=self.project, **given.validated_data, by=by, at=timezone.now())
        return Response(ProjectOutput(changed).data)

    @extend_schema(
        operation_id="projects_delete",
        parameters=[DeletionInput],
        responses={202: DeletionOutput},
        summary="Delete an archived project for good",
        description="With all that hangs on it, by a job; `deletions/<id>/` says how far it is. Its model stops answering "
        "at once. Runs on a tracking server stay there.",
    )
    def delete(self, request: Request, project_id: int) -> Response:
        asked, by = deletion_asked(request), cast(User, request.user)
        made = project_delete(project=self.project, **asked, by=by, at=timezone.now())
        return Response(DeletionOutput(made).data, status=202)
