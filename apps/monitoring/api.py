"""Logged predictions and alerts over the API."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.monitoring.selectors import alerts_of, predictions_of
from apps.monitoring.services import alert_resolve
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class PredictionOutput(serializers.Serializer):
    inference_id = serializers.CharField()
    at = serializers.DateTimeField()
    model_number = serializers.IntegerField()
    label = serializers.CharField()
    confidence = serializers.FloatField()
    margin = serializers.FloatField(
        allow_null=True, help_text="The first probability minus the second; null where it was not logged."
    )
    latency_ms = serializers.FloatField()
    share = serializers.FloatField(
        help_text="Of such answers that the log keeps, 1 for all: a row stands for 1 / share."
    )
    arm = serializers.ChoiceField(choices=["champion", "canary"], help_text="Which model of a rollout answered.")
    rollout = serializers.IntegerField(allow_null=True, help_text="The rollout that was under way; null for none.")


class AlertOutput(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    opened_at = serializers.DateTimeField()
    times_seen = serializers.IntegerField()
    window_since = serializers.DateTimeField(allow_null=True, help_text="Answers after this moment raised it,")
    window_until = serializers.DateTimeField(allow_null=True, help_text="up to this one.")
    severity = serializers.ChoiceField(choices=["warns", "alarms"])
    monitors = serializers.ListField(child=serializers.CharField(), help_text="By their names in the policy.")
    verdict = serializers.ChoiceField(
        choices=["", "true", "false", "undecided"],
        help_text="What labels said of it later; empty while there are none.",
    )
    verdict_words = serializers.CharField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class DriftOutput(serializers.Serializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    model_number = serializers.IntegerField()
    window = serializers.IntegerField(help_text="Answers compared.")
    since = serializers.DateTimeField(allow_null=True, help_text="They came after this moment.")
    outcome = serializers.CharField()
    sentence = serializers.CharField()
    statistics = serializers.JSONField()


class PredictionsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(
        operation_id="predictions_list",
        responses=PredictionOutput(many=True),
        summary="What the champion answered, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(predictions_of(self.project), PredictionOutput)


class AlertsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(operation_id="alerts_list", responses=AlertOutput(many=True), summary="Alerts, newest first")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(alerts_of(self.project), AlertOutput)


class AlertResolveAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.RESOLVE_ALERT}

    class InputSerializer(serializers.Serializer):
        note = serializers.CharField(max_length=400)

    @extend_schema(
        operation_id="alerts_resolve",
        request=InputSerializer,
        responses=AlertOutput,
        summary="Close an alert with a note",
    )
    def post(self, request: Request, project_id: int, alert_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        alert = alert_resolve(
            project=self.project,
            alert_id=alert_id,
            note=given.validated_data["note"],
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response(AlertOutput(alert).data)
