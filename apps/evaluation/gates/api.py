"""The policy of gates over the API, as JSON or YAML."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.errors import Invalid
from apps.evaluation.gates import services
from apps.evaluation.gates.selectors import gate_policy_newest, gate_policy_read, sensitive_columns_of
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class GatePolicyOutput(serializers.Serializer):
    number = serializers.IntegerField(help_text="Counts the edits; 0 while the project has the one it came with.")
    policy = serializers.DictField()


class SensitiveColumnsOutput(serializers.Serializer):
    columns = serializers.ListField(child=serializers.CharField())


class SensitiveColumnsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        columns = serializers.ListField(
            child=serializers.CharField(max_length=200), max_length=100, help_text="They replace those there are."
        )

    @extend_schema(
        operation_id="sensitive_columns",
        responses=SensitiveColumnsOutput,
        summary="Columns that gates on fairness read",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response({"columns": sensitive_columns_of(self.project)})

    @extend_schema(
        operation_id="sensitive_columns_set",
        request=InputSerializer,
        responses=SensitiveColumnsOutput,
        summary="Mark the columns that say what group somebody belongs to",
    )
    def put(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        marked = services.sensitive_columns_set(
            project=self.project,
            columns=given.validated_data["columns"],
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response({"columns": marked})


class GatePolicyAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.SET_GATES}

    class InputSerializer(serializers.Serializer):
        policy = serializers.DictField(required=False, help_text="`gates`, each with its type; or `yaml` instead.")
        yaml = serializers.CharField(required=False, max_length=20_000, trim_whitespace=False)

    @extend_schema(operation_id="gate_policy", responses=GatePolicyOutput, summary="Which gates judge the models")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self._said())

    @extend_schema(
        operation_id="gate_policy_set",
        request=InputSerializer,
        responses=GatePolicyOutput,
        summary="Set which gates judge the models",
    )
    def put(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if ("policy" in given.validated_data) == ("yaml" in given.validated_data):
            raise Invalid(gettext("Send either “policy” or “yaml”."), field="policy")
        if "yaml" in given.validated_data:
            policy = services.gate_policy_given_yaml(given.validated_data["yaml"])
        else:
            policy = services.gate_policy_given(given.validated_data["policy"])
        services.gate_policy_set(project=self.project, policy=policy, by=cast(User, request.user), at=timezone.now())
        return Response(self._said())

    def _said(self) -> dict[str, Any]:
        newest = gate_policy_newest(self.project)
        return {"number": newest.number if newest else 0, "policy": gate_policy_read(newest).written()}
