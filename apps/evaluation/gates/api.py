"""The policy of gates over the API, as JSON or YAML."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.evaluation.gates import services
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.gates.selectors import sensitive_columns_of
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.api import VersionedPolicyAPI, policy_schema
from apps.projects.roles import Permission


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


@policy_schema("gate_policy", read="Which gates judge the models", write="Set which gates judge the models")
class GatePolicyAPI(VersionedPolicyAPI):
    kind = GATE_POLICY
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.SET_GATES}
