"""The labels of a project over the API: list them, add some, change, retire or restore one."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.labeling.services.renaming import label_edit
from apps.projects.api_access import ProjectAPI
from apps.projects.models import SchemaLabel
from apps.projects.roles import Permission
from apps.projects.schema import MOST_DESCRIPTION, LabelChange
from apps.projects.selectors import schema_of
from apps.projects.services import LabelSpec, label_restore, label_retire, schema_extend
from apps.rules.values import MOST_NAME


class SchemaLabelOutput(serializers.Serializer):
    id = serializers.IntegerField(help_text="Its identity: it stays when the label is renamed.")
    name = serializers.CharField()
    color = serializers.CharField()
    hotkey = serializers.CharField(help_text="Empty where it has none.")
    description = serializers.CharField(help_text="Shown on the desk.")
    retired_at = serializers.DateTimeField(allow_null=True, help_text="Since then it is offered no longer.")
    former_names = serializers.ListField(
        child=serializers.CharField(), help_text="As models and data versions made before a rename know it."
    )


class SchemaLabelInput(serializers.Serializer):
    name = serializers.CharField(max_length=MOST_NAME)
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False, default="")
    hotkey = serializers.CharField(max_length=1, required=False, default="", allow_blank=True)


class SchemaAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_PROJECT, "POST": Permission.EDIT_PROJECT}

    @extend_schema(
        operation_id="schema_list", responses=SchemaLabelOutput(many=True), summary="The labels, as they are offered"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(schema_of(self.project).shown, SchemaLabelOutput)

    @extend_schema(
        operation_id="schema_add", request=SchemaLabelInput, responses={201: SchemaLabelOutput}, summary="Add a label"
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = SchemaLabelInput(data=request.data)
        given.is_valid(raise_exception=True)
        by, spec = cast(User, request.user), LabelSpec(**given.validated_data)
        (made,) = schema_extend(project=self.project, labels=[spec], by=by, at=timezone.now())
        return Response(SchemaLabelOutput(made).data, status=201)


class SchemaLabelAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(required=False, max_length=MOST_NAME)
        color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False)
        hotkey = serializers.CharField(required=False, max_length=1, allow_blank=True)
        description = serializers.CharField(required=False, max_length=MOST_DESCRIPTION, allow_blank=True)
        place = serializers.IntegerField(
            required=False, min_value=1, max_value=100_000, help_text="From 1; the others move up."
        )
        retired = serializers.BooleanField(required=False, help_text="Whether it is offered no longer.")

    @extend_schema(
        operation_id="schema_edit",
        request=InputSerializer,
        responses=SchemaLabelOutput,
        summary="Change a label; a renamed one keeps its identity",
    )
    def patch(self, request: Request, project_id: int, label_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values, by, at = dict(given.validated_data), cast(User, request.user), timezone.now()
        retired = values.pop("retired", None)
        label: SchemaLabel = label_edit(
            project=self.project, label_id=label_id, change=LabelChange(**values), by=by, at=at
        )
        if retired is not None:
            change = label_retire if retired else label_restore
            label = change(project=self.project, name=label.name, by=by, at=at)
        return Response(SchemaLabelOutput(label).data)
