"""Laps and the target over the API."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.slas.selectors import laps_of
from apps.slas.services import target_hours, target_set


class StageOutput(serializers.Serializer):
    stage = serializers.CharField()
    wait_s = serializers.FloatField()
    work_s = serializers.FloatField()
    median_wait_s = serializers.FloatField()
    median_work_s = serializers.FloatField()


class LapOutput(serializers.Serializer):
    number = serializers.IntegerField()
    model_number = serializers.IntegerField()
    closed_at = serializers.DateTimeField()
    labels = serializers.IntegerField()
    median_s = serializers.FloatField()
    p90_s = serializers.FloatField()
    longest_s = serializers.FloatField()
    target_s = serializers.FloatField()
    breached = serializers.BooleanField()
    cause = serializers.CharField()
    stages = StageOutput(many=True)


class LapsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_SLA}

    @extend_schema(operation_id="laps_list", responses=LapOutput(many=True), summary="Data to deploy, lap by lap")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(laps_of(self.project), LapOutput)


class TargetAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_SLA, "PUT": Permission.EDIT_TARGET}

    class TargetSerializer(serializers.Serializer):
        hours = serializers.FloatField(min_value=0.1, max_value=8760)

    @extend_schema(operation_id="target_read", responses=TargetSerializer, summary="The data-to-deploy target")
    def get(self, request: Request, project_id: int) -> Response:
        return Response({"hours": target_hours(self.project)})

    @extend_schema(
        operation_id="target_set", request=TargetSerializer, responses=TargetSerializer, summary="Set the target"
    )
    def put(self, request: Request, project_id: int) -> Response:
        given = self.TargetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        target = target_set(
            project=self.project, hours=given.validated_data["hours"], by=cast(User, request.user), at=timezone.now()
        )
        return Response({"hours": target.hours})
