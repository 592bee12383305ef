"""Runs over the API: cancel. Listing, starting and watching join other stages, in apps.loop.api and apps.releases.api."""

from typing import cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.roles import Permission
from apps.training.selectors import run_for
from apps.training.services.runs import run_cancel


class RunOutput(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    kind = serializers.CharField()
    state = serializers.CharField()
    trigger = serializers.CharField()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    step = serializers.IntegerField()
    steps_total = serializers.IntegerField()
    seconds_left = serializers.FloatField(allow_null=True)
    labels = serializers.IntegerField()
    new_labels = serializers.IntegerField()
    error = serializers.CharField()


class CancelAPI(APIView):
    @extend_schema(operation_id="runs_cancel", request=None, responses=RunOutput, summary="Stop a run")
    def post(self, request: Request, run_id: int) -> Response:
        user = cast(User, request.user)
        run = run_for(user, run_id, Permission.START_RUN)
        return Response(RunOutput(run_cancel(run=run, by=user, at=timezone.now())).data)
