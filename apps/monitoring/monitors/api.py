"""Monitors over the API: their policy, what they read, what became of their alarms."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.monitoring.monitors.board import board_of
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.selectors import readings_of
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.api import VersionedPolicyAPI, policy_schema
from apps.projects.roles import Permission


@policy_schema(
    "monitor_policy", read="Which monitors look, and their budget", write="Set the monitors and their budget"
)
class MonitorPolicyAPI(VersionedPolicyAPI):
    kind = MONITOR_POLICY
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR, "PUT": Permission.SET_MONITORS}


class ReadingOutput(serializers.Serializer):
    id = serializers.IntegerField()
    monitor = serializers.CharField()
    type = serializers.CharField()
    policy_number = serializers.IntegerField(help_text="0 while the project has the policy it came with.")
    model_number = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    n_window = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=["fine", "raised", "too-few", "off", "broken"])
    score = serializers.FloatField(allow_null=True, help_text="The window is raised where it reaches the threshold.")
    threshold = serializers.FloatField(allow_null=True)
    features = serializers.JSONField()
    sentence = serializers.CharField()
    alert = serializers.IntegerField(source="alert_id", allow_null=True)


class MonitorOutput(serializers.Serializer):
    name = serializers.CharField(source="settings.called")
    type = serializers.CharField(source="settings.type")
    share = serializers.FloatField(help_text="False alarms a month, of the budget.")
    next_at = serializers.DateTimeField(help_text="When its window ends; labels take their maturity longer.")
    last = ReadingOutput(allow_null=True)
    alarms = serializers.IntegerField(source="score.alarms", help_text="Of 90 days.")
    true = serializers.IntegerField(source="score.true")
    false = serializers.IntegerField(source="score.false")
    precision = serializers.FloatField(source="score.precision", allow_null=True)
    delay = serializers.DurationField(source="score.delay", allow_null=True)


class MonitorBoardOutput(serializers.Serializer):
    budget = serializers.FloatField(source="policy.budget")
    expected = serializers.FloatField(help_text="False alarms a month, of the monitors that can tell.")
    alarms = serializers.IntegerField(help_text="Of 90 days.")
    true = serializers.IntegerField()
    false = serializers.IntegerField()
    monitors = MonitorOutput(source="lines", many=True)


class MonitorsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(
        operation_id="monitors", responses=MonitorBoardOutput, summary="The monitors, and how right they were"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(MonitorBoardOutput(board_of(self.project, timezone.now())).data)


class ReadingsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(
        operation_id="monitor_readings_list",
        responses=ReadingOutput(many=True),
        summary="What monitors read of each window, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(readings_of(self.project), ReadingOutput)
