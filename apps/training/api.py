"""Runs over the API: cancel, and what starts them by itself. The rest joins other stages: apps.loop.api, apps.releases.api."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.rules.trigger import conditions_of
from apps.training.models import RunTrigger, Trigger, asked_kinds
from apps.training.selectors import evidence_for, last_run_of, run_for, settings_of
from apps.training.services.runs import run_cancel
from apps.training.services.triggers import BOUNDS, FIELDS, trigger_of, trigger_set


class RunOutput(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    name = serializers.CharField(help_text="Empty where nobody gave it one.")
    note = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    kind = serializers.CharField()
    state = serializers.CharField()
    trigger = serializers.CharField()
    trigger_type = serializers.ChoiceField(choices=RunTrigger.choices)
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    step = serializers.IntegerField()
    steps_total = serializers.IntegerField()
    seconds_left = serializers.FloatField(allow_null=True)
    labels = serializers.IntegerField()
    new_labels = serializers.IntegerField()
    cloned_from = serializers.IntegerField(
        source="cloned_from_id", allow_null=True, help_text="The run that it is a copy of, with changes."
    )
    priority = serializers.IntegerField(help_text="1 goes first, 9 last.")
    fallback = serializers.CharField(help_text="Why an incremental run was made full; empty where it was not.")
    device = serializers.CharField()
    device_s = serializers.FloatField(
        help_text="Seconds that devices were held, over all attempts, devices and trials."
    )
    error = serializers.CharField()


class CancelAPI(APIView):
    @extend_schema(operation_id="runs_cancel", request=None, responses=RunOutput, summary="Stop a run")
    def post(self, request: Request, run_id: int) -> Response:
        user = cast(User, request.user)
        run = run_for(user, run_id, Permission.START_RUN)
        return Response(RunOutput(run_cancel(run=run, by=user, at=timezone.now())).data)


def _cause(name: str, told: str) -> serializers.IntegerField:
    least, most, _ = BOUNDS[name]
    return serializers.IntegerField(min_value=least, max_value=most, allow_null=True, help_text=f"{told}; null is off.")


class TriggerAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PATCH": Permission.START_RUN}

    class TriggerSerializer(serializers.Serializer):
        enabled = serializers.BooleanField()
        new_labels = _cause("new_labels", "Labels that no run has seen")
        minutes = _cause("minutes", "Minutes since the last run, with at least one new label")
        disagreement_points = _cause(
            "disagreement_points", "Points by which people contradict the model more than it expects"
        )
        debounce_s = serializers.IntegerField(min_value=0, max_value=86_400)
        kind = serializers.ChoiceField(choices=asked_kinds())

    class OutputSerializer(TriggerSerializer):
        class ConditionSerializer(serializers.Serializer):
            cause = serializers.CharField()
            met = serializers.BooleanField()
            sentence = serializers.CharField()

        conditions = ConditionSerializer(many=True)

    @extend_schema(operation_id="trigger_read", responses=OutputSerializer, summary="What starts runs by itself")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self._shown(trigger_of(self.project)))

    @extend_schema(
        operation_id="trigger_set",
        request=TriggerSerializer(partial=True),
        responses=OutputSerializer,
        summary="Change what starts runs by itself; what is left out stays",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        trigger = trigger_of(self.project)
        given = self.TriggerSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        kept = {name: getattr(trigger, name) for name in FIELDS}
        changed = {**kept, **given.validated_data}
        return Response(
            self._shown(trigger_set(project=self.project, by=cast(User, request.user), at=timezone.now(), **changed))
        )

    def _shown(self, trigger: Trigger) -> dict[str, Any]:
        evidence = evidence_for(trigger, last_run_of(self.project))
        conditions = conditions_of(timezone.now(), evidence, settings_of(trigger))
        settings = {name: getattr(trigger, name) for name in FIELDS}
        return dict(self.OutputSerializer({**settings, "conditions": conditions}).data)
