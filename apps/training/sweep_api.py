"""Sweeps over the API: list, start, read, cancel."""

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
from apps.rules.sweeps import DEFAULT_SPACE, DEFAULT_TRIALS, Span
from apps.training.models import Sweep, SweepState, TrialState
from apps.training.services.sweeps import sweep_cancel, sweep_start
from apps.training.sweep_selectors import sweep_for, sweep_shown, sweeps_of


class SpanSerializer(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()
    log = serializers.BooleanField(default=False)


class SweepOutput(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField(help_text=", ".join(SweepState.values))
    space = serializers.DictField(child=SpanSerializer())
    trials_wanted = serializers.IntegerField()
    seed = serializers.IntegerField()
    importance = serializers.DictField(child=serializers.FloatField(), help_text="Setting to its share, by fANOVA.")
    run = serializers.IntegerField(source="run_id", allow_null=True, help_text="Id of the run of the best recipe.")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class TrialOutput(serializers.Serializer):
    number = serializers.IntegerField()
    state = serializers.CharField(help_text=", ".join(TrialState.values))
    settings = serializers.DictField(child=serializers.FloatField())
    value = serializers.FloatField(allow_null=True, help_text="Least validation loss, nats.")
    accuracy = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField()
    error = serializers.CharField()


class SweepsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "POST": Permission.START_RUN}

    class SweepStartSerializer(serializers.Serializer):
        space = serializers.DictField(
            child=SpanSerializer(), required=False, help_text="Setting to its span; without, what is worth trying."
        )
        trials = serializers.IntegerField(default=DEFAULT_TRIALS)
        seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)

    @extend_schema(operation_id="sweeps_list", responses=SweepOutput(many=True), summary="Sweeps, newest first")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(sweeps_of(self.project), SweepOutput)

    @extend_schema(
        operation_id="sweeps_start", request=SweepStartSerializer, responses={201: SweepOutput}, summary="Start a sweep"
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.SweepStartSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        space = {name: Span(**span) for name, span in wanted["space"].items()} if "space" in wanted else DEFAULT_SPACE
        sweep = sweep_start(
            project=self.project,
            space=space,
            trials=wanted["trials"],
            seed=wanted["seed"],
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response(SweepOutput(sweep).data, status=201)


class SweepAPI(APIView):
    class SweepDetailOutputSerializer(SweepOutput):
        trials = TrialOutput(many=True)
        best = serializers.IntegerField(allow_null=True, help_text="Number of the best trial that came to its end.")

    @extend_schema(operation_id="sweeps_read", responses=SweepDetailOutputSerializer, summary="A sweep and its trials")
    def get(self, request: Request, sweep_id: int) -> Response:
        found = sweep_shown(sweep_for(cast(User, request.user), sweep_id, Permission.VIEW_RUNS))
        best = found.best.number if found.best else None
        shown: dict[str, Any] = {
            **SweepOutput(found.sweep).data,
            "trials": TrialOutput(found.trials, many=True).data,
            "best": best,
        }
        return Response(shown)


class SweepCancelAPI(APIView):
    @extend_schema(operation_id="sweeps_cancel", request=None, responses=SweepOutput, summary="Stop a sweep")
    def post(self, request: Request, sweep_id: int) -> Response:
        user = cast(User, request.user)
        sweep: Sweep = sweep_for(user, sweep_id, Permission.START_RUN)
        return Response(SweepOutput(sweep_cancel(sweep=sweep, by=user, at=timezone.now())).data)
