"""One run with its curves, log and verdict, over the API."""

from typing import cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.evaluation.selectors import report_of
from apps.projects.roles import Permission
from apps.rules.values import MOST_NAME, MOST_NOTE, MOST_TAG, MOST_TAGS
from apps.training.api import RunOutput
from apps.training.models import Run
from apps.training.selectors import curves_of, lines_of, run_for
from apps.training.services.describing import RunDescription, run_describe


class ReportOutput(serializers.Serializer):
    outcome = serializers.CharField()
    examples = serializers.IntegerField()
    metrics = serializers.JSONField(help_text="name -> value with 95 % bootstrap interval")
    baseline_metrics = serializers.JSONField(allow_null=True)
    differences = serializers.JSONField(allow_null=True, help_text="candidate minus champion, paired bootstrap")
    gates = serializers.JSONField()
    gate_policy = serializers.IntegerField(
        source="gate_policy.number", default=0, help_text="That judged; 0 is the one that a project comes with."
    )


class RunDetailAPI(APIView):
    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(
            required=False,
            allow_blank=True,
            trim_whitespace=False,
            max_length=2 * MOST_NAME,
            help_text=f"At most {MOST_NAME} characters; empty takes it away.",
        )
        note = serializers.CharField(
            required=False,
            allow_blank=True,
            trim_whitespace=False,
            max_length=4 * MOST_NOTE,
            help_text=f"At most {MOST_NOTE} characters.",
        )
        tags = serializers.ListField(
            child=serializers.CharField(max_length=2 * MOST_TAG),
            required=False,
            max_length=5 * MOST_TAGS,
            help_text=f"At most {MOST_TAGS} of {MOST_TAG} characters; they replace those there are.",
        )

    class OutputSerializer(RunOutput):
        recipe = serializers.JSONField(help_text="All settings, once a worker has taken the run.")
        seed = serializers.IntegerField()
        base_run = serializers.IntegerField(source="base_run_id", allow_null=True)
        dataset_version = serializers.IntegerField(source="dataset_version.number", default=None, allow_null=True)
        curves = serializers.JSONField()
        log = serializers.ListField(child=serializers.CharField())
        report = ReportOutput(allow_null=True)

    @extend_schema(
        operation_id="runs_read", responses=OutputSerializer, summary="Watch a run: progress, curves, log, verdict"
    )
    def get(self, request: Request, run_id: int) -> Response:
        return self._shown(run_for(cast(User, request.user), run_id, Permission.VIEW_RUNS))

    @extend_schema(
        operation_id="runs_describe",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Name a run, tag it, write a note beside it; what is left out stays",
    )
    def patch(self, request: Request, run_id: int) -> Response:
        user = cast(User, request.user)
        run = run_for(user, run_id, Permission.START_RUN, changes=True)
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        if "tags" in values:
            values["tags"] = tuple(values["tags"])
        run_describe(run=run, change=RunDescription(**values), by=user, at=timezone.now())
        return self._shown(run_for(user, run_id, Permission.VIEW_RUNS))

    def _shown(self, run: Run) -> Response:
        report = report_of(run)
        return Response(
            {
                **RunOutput(run).data,
                "recipe": run.recipe,
                "seed": run.seed,
                "base_run": run.base_run_id,
                "dataset_version": run.dataset_version.number if run.dataset_version else None,
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
