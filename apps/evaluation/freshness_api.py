"""The freshness gap over the API."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.evaluation.freshness import gaps_of
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class FreshnessAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    class GapSerializer(serializers.Serializer):
        full_run = serializers.IntegerField(source="full_run.number")
        incremental_run = serializers.IntegerField(source="incremental_run.number")
        increments = serializers.IntegerField()
        holdout_rows = serializers.IntegerField()
        points = serializers.FloatField(help_text="Accuracy, full less incremental, in points.")
        low = serializers.FloatField(help_text="Of the 95 % interval.")
        high = serializers.FloatField()
        real = serializers.BooleanField(help_text="Whether full is surely better: the interval lies above 0.")
        full_s = serializers.FloatField(help_text="Device seconds.")
        incremental_s = serializers.FloatField()
        at = serializers.DateTimeField()

    @extend_schema(
        operation_id="freshness_list",
        responses=GapSerializer(many=True),
        summary="Full runs against the incremental line on the same holdout, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(gaps_of(self.project), self.GapSerializer)
