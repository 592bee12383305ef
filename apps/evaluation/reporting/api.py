"""The report of a run over the API: the same figures as its page, the model card, and the override of its gates."""

from typing import Any, cast

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.evaluation.models import Report
from apps.evaluation.reporting.card import model_card
from apps.evaluation.reporting.overriding import LEAST_REASON, MOST_REASON, gates_override
from apps.evaluation.reporting.page import report_page
from apps.evaluation.reporting.selectors import report_for, version_number_of
from apps.projects.roles import Permission


class CertaintyBinOutput(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()
    n = serializers.IntegerField()
    certainty = serializers.FloatField(help_text="The mean of the bin.")
    right = serializers.FloatField(help_text="Share of right answers.")


class DifferingOutput(serializers.Serializer):
    class ExampleSerializer(serializers.Serializer):
        example_id = serializers.IntegerField()
        external_id = serializers.CharField(allow_blank=True, help_text="Empty where it was deleted since.")
        truth = serializers.CharField()
        candidate = serializers.CharField()
        candidate_confidence = serializers.FloatField()
        champion = serializers.CharField()
        champion_confidence = serializers.FloatField()

    lost = serializers.IntegerField(help_text="Right with the champion, wrong with the candidate.")
    gained = serializers.IntegerField()
    neither = serializers.IntegerField(help_text="Wrong with both, in different ways.")
    examples = ExampleSerializer(many=True)


class OverrideOutput(serializers.Serializer):
    by = serializers.CharField(source="overridden_by.username", default=None, allow_null=True)
    reason = serializers.CharField(source="override_reason")
    at = serializers.DateTimeField(source="overridden_at")


class FullReportOutput(serializers.Serializer):
    run_id = serializers.IntegerField()
    run_number = serializers.IntegerField(source="run.number")
    model_version = serializers.SerializerMethodField(help_text="The number; null until the run has one.")
    baseline_run_number = serializers.IntegerField(source="baseline_run.number", default=None, allow_null=True)
    outcome = serializers.ChoiceField(choices=["pass", "fail", "inconclusive"])
    gate_policy = serializers.IntegerField(source="gate_policy.number", default=0)
    finished_at = serializers.DateTimeField()
    examples = serializers.IntegerField()
    metrics = serializers.JSONField(help_text="name -> value with 95 % bootstrap interval")
    baseline_metrics = serializers.JSONField(allow_null=True)
    differences = serializers.JSONField(allow_null=True, help_text="candidate minus champion, paired bootstrap")
    gates = serializers.JSONField(
        help_text="Each with its outcome, reason, and `details`: slices, groups, latency, ..."
    )
    label_names = serializers.JSONField()
    confusion = serializers.JSONField(help_text="Rows are the truth, columns the answer.")
    per_class = serializers.JSONField()
    override = serializers.SerializerMethodField()
    calibration = serializers.SerializerMethodField()
    differing = serializers.SerializerMethodField(help_text="Null where no champion’s answers were kept.")

    def get_model_version(self, report: Report) -> int | None:
        return version_number_of(report)

    @extend_schema_field(OverrideOutput(allow_null=True))
    def get_override(self, report: Report) -> Any:
        return OverrideOutput(report).data if report.overridden else None

    @extend_schema_field(CertaintyBinOutput(many=True))
    def get_calibration(self, report: Report) -> Any:
        return CertaintyBinOutput(self.context["page"].bins, many=True).data

    @extend_schema_field(DifferingOutput(allow_null=True))
    def get_differing(self, report: Report) -> Any:
        found = self.context["page"].differing
        return DifferingOutput(found).data if found else None


class ReportAPI(APIView):
    @extend_schema(
        operation_id="reports_read",
        responses=FullReportOutput,
        summary="All that a verdict rests on, as its page shows it",
    )
    def get(self, request: Request, run_id: int) -> Response:
        report = report_for(cast(User, request.user), run_id, Permission.VIEW_RUNS)
        return Response(FullReportOutput(report, context={"page": report_page(report)}).data)


class ModelCardAPI(APIView):
    @extend_schema(
        operation_id="reports_card",
        responses={(200, "text/markdown"): OpenApiTypes.STR},
        summary="The model card of a run, as Markdown",
    )
    def get(self, request: Request, run_id: int) -> HttpResponse:
        report = report_for(cast(User, request.user), run_id, Permission.VIEW_RUNS)
        text = model_card(report_page(report), model=report.run.project.slug, version=version_number_of(report))
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


class OverrideAPI(APIView):
    class InputSerializer(serializers.Serializer):
        reason = serializers.CharField(
            required=False,
            default="",
            allow_blank=True,
            max_length=2 * MOST_REASON,
            help_text=f"{LEAST_REASON} to {MOST_REASON} characters.",
        )

    @extend_schema(
        operation_id="gates_override",
        request=InputSerializer,
        responses=OverrideOutput,
        summary="Let a model be released although gates did not pass",
    )
    def post(self, request: Request, run_id: int) -> Response:
        user = cast(User, request.user)
        report = report_for(user, run_id, Permission.OVERRIDE_GATES, changes=True)
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = gates_override(report=report, reason=given.validated_data["reason"], by=user, at=timezone.now())
        return Response(OverrideOutput(done).data)
