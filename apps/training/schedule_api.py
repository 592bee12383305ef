"""Schedules, the policy and a queued run's priority over the API."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.training.api import RunOutput
from apps.training.models import RunPriority
from apps.training.schedule_selectors import scheduled
from apps.training.selectors import run_for
from apps.training.services.policies import FIELDS, MOST_AT_ONCE, MOST_INCREMENTS, policy_of, policy_set
from apps.training.services.schedules import Times, schedule_set
from apps.training.services.turns import run_prioritize


class PriorityAPI(APIView):
    class InputSerializer(serializers.Serializer):
        priority = serializers.ChoiceField(choices=RunPriority.choices)

    @extend_schema(
        operation_id="runs_prioritize",
        request=InputSerializer,
        responses=RunOutput,
        summary="Change a queued run's turn",
    )
    def post(self, request: Request, run_id: int) -> Response:
        user = cast(User, request.user)
        run = run_for(user, run_id, Permission.START_RUN, changes=True)
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        run = run_prioritize(run=run, priority=given.validated_data["priority"], by=user, at=timezone.now())
        return Response(RunOutput(run).data)


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["02:00"]})
class ClockTimeField(serializers.TimeField):
    """Hours and minutes, which JSON Schema's “time” is not."""


class SchedulesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.START_RUN}

    class InputSerializer(serializers.Serializer):
        kind = serializers.CharField()
        enabled = serializers.BooleanField(default=True)
        days = serializers.ListField(
            child=serializers.IntegerField(min_value=0, max_value=6),
            min_length=1,
            max_length=7,
            help_text="Sunday is 0.",
        )
        time = ClockTimeField(format="%H:%M")
        zone = serializers.CharField(default="UTC", help_text="Such as UTC or Europe/Berlin; it follows summer time.")

    class OutputSerializer(serializers.Serializer):
        kind = serializers.CharField()
        enabled = serializers.BooleanField(source="times.enabled")
        days = serializers.ListField(child=serializers.IntegerField(), source="times.days")
        time = ClockTimeField(source="times.at", format="%H:%M")
        zone = serializers.CharField(source="times.zone")
        next_runs = serializers.ListField(child=serializers.DateTimeField())
        last_fired_at = serializers.DateTimeField(allow_null=True)
        outcome = serializers.CharField(help_text="What came of the last time.")

    @extend_schema(operation_id="schedules_list", responses=OutputSerializer(many=True), summary="Runs by the clock")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(scheduled(self.project, timezone.now()), self.OutputSerializer)

    @extend_schema(
        operation_id="schedules_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Set one kind's times",
    )
    def put(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        times = Times(tuple(asked["days"]), asked["time"], asked["zone"], enabled=asked["enabled"])
        schedule_set(
            project=self.project, kind=asked["kind"], times=times, by=cast(User, request.user), at=timezone.now()
        )
        found = [s for s in scheduled(self.project, timezone.now()) if s.kind == asked["kind"]]
        return Response(self.OutputSerializer(found[0]).data)


class PolicyAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PATCH": Permission.START_RUN}

    class PolicySerializer(serializers.Serializer):
        runs_at_once = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE)
        full_after_increments = serializers.IntegerField(
            min_value=1, max_value=MOST_INCREMENTS, allow_null=True, help_text="null is off."
        )
        full_on_gap = serializers.BooleanField()
        full_on_schema_change = serializers.BooleanField()

    @extend_schema(
        operation_id="policy_read",
        responses=PolicySerializer,
        summary="Runs at once, and when an incremental run is made full",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self.PolicySerializer(policy_of(self.project)).data)

    @extend_schema(
        operation_id="policy_set",
        request=PolicySerializer(partial=True),
        responses=PolicySerializer,
        summary="Change the policy; what is left out stays",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.PolicySerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        policy = policy_of(self.project)
        changed: dict[str, Any] = {name: getattr(policy, name) for name in FIELDS} | given.validated_data
        policy = policy_set(project=self.project, by=cast(User, request.user), at=timezone.now(), **changed)
        return Response(self.PolicySerializer(policy).data)
