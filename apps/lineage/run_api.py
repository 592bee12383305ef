"""One run with its curves, log and verdict, over the API."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.evaluation.selectors import report_of
from apps.projects.roles import Permission
from apps.training.api import RunOutput
from apps.training.selectors import curves_of, lines_of, run_for


class ReportOutput(serializers.Serializer):
    outcome = serializers.CharField()
    examples = serializers.IntegerField()
    metrics = serializers.JSONField(help_text="name -> value with 95 % bootstrap interval")
    baseline_metrics = serializers.JSONField(allow_null=True)
    differences = serializers.JSONField(allow_null=True, help_text="candidate minus champion, paired bootstrap")
    gates = serializers.JSONField()


class RunDetailAPI(APIView):
    class OutputSerializer(RunOutput):
        curves = serializers.JSONField()
        log = serializers.ListField(child=serializers.CharField())
        report = ReportOutput(allow_null=True)

    @extend_schema(
        operation_id="runs_read", responses=OutputSerializer, summary="Watch a run: progress, curves, log, verdict"
    )
    def get(self, request: Request, run_id: int) -> Response:
        run = run_for(cast(User, request.user), run_id, Permission.VIEW_RUNS)
        report = report_of(run)
        return Response(
            {
                **RunOutput(run).data,
                "curves": vars_of(curves_of(run)),
                "log": [line.text for line in lines_of(run)],
                "report": ReportOutput(report).data if report else None,
            }
        )


def vars_of(curves: object) -> dict[str, object]:
    return {
        name: list(getattr(curves, name))
        for name in ("steps", "train_loss", "validation_loss", "holdout_loss", "holdout_accuracy")
    }
