"""Ingestions, dead letters and versions over the API. Sending examples closes the loop's first step: apps.loop.api."""

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.datasets.selectors import dead_letters_of, ingestion_of, ingestions_of
from apps.datasets.version_forms import DiffFilter
from apps.datasets.version_selectors import KINDS, VersionDiff, version_diff, versions_of
from apps.pages.asked import number_asked
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission

AGAINST = OpenApiParameter(
    "against",
    OpenApiTypes.INT,
    description="Another version’s number; without, the one before; 0 is no version at all.",
)
KIND = OpenApiParameter(
    "kind", OpenApiTypes.STR, enum=[kind.value for kind in KINDS], description="Only these changes."
)


class IngestionOutput(serializers.Serializer):
    id = serializers.IntegerField()
    source = serializers.CharField()
    filename = serializers.CharField()
    state = serializers.CharField()
    received_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    rows_expected = serializers.IntegerField(allow_null=True)
    rows_taken = serializers.IntegerField()
    rows_known = serializers.IntegerField()
    rows_refused = serializers.IntegerField()
    error = serializers.CharField()
    left_out = serializers.DictField(
        child=serializers.CharField(),
        help_text="Columns that were not kept, with why: nameless, reserved, not_shown, second, ignored.",
    )


class DeadLetterOutput(serializers.Serializer):
    ingestion = serializers.IntegerField(source="ingestion_id")
    row_number = serializers.IntegerField()
    external_id = serializers.CharField()
    reason = serializers.CharField()
    raw = serializers.CharField()
    at = serializers.DateTimeField()


class IngestionsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(operation_id="ingestions_list", responses=IngestionOutput(many=True), summary="Uploads and batches")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(ingestions_of(self.project), IngestionOutput)


class IngestionAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(operation_id="ingestions_read", responses=IngestionOutput, summary="How far one upload is")
    def get(self, request: Request, project_id: int, ingestion_id: int) -> Response:
        return Response(IngestionOutput(ingestion_of(self.project, ingestion_id)).data)


class DeadLettersAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="dead_letters_list",
        responses=DeadLetterOutput(many=True),
        summary="Rows that did not fit, and why",
        parameters=[OpenApiParameter("ingestion", OpenApiTypes.INT, description="Only those of one upload.")],
    )
    def get(self, request: Request, project_id: int) -> Response:
        letters = dead_letters_of(self.project, ingestion_id=number_asked(request.query_params, "ingestion"))
        return self.page(letters, DeadLetterOutput)


class DatasetVersionOutput(serializers.Serializer):
    number = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    rows = serializers.IntegerField()
    holdout_rows = serializers.IntegerField()
    added = serializers.IntegerField()
    relabeled = serializers.IntegerField()
    removed = serializers.IntegerField()
    digest = serializers.CharField()
    dropped_at = serializers.DateTimeField(allow_null=True, help_text="Since then its labels can no longer be read.")
    runs = serializers.SerializerMethodField()

    def get_runs(self, version: object) -> list[int]:
        return sorted(run.number for run in version.runs.all())  # type: ignore[attr-defined]


class DatasetVersionsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="dataset_versions_list",
        responses=DatasetVersionOutput(many=True),
        summary="Versions of the labels that runs train on",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(versions_of(self.project), DatasetVersionOutput)


class _DiffAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    def diff(self, request: Request, number: int) -> VersionDiff:
        return version_diff(self.project, number, DiffFilter(request.query_params).against)


class DatasetVersionDiffAPI(_DiffAPI):
    class OutputSerializer(serializers.Serializer):
        class ClassSerializer(serializers.Serializer):
            label = serializers.CharField()
            before = serializers.IntegerField()
            after = serializers.IntegerField()

        class MoveSerializer(serializers.Serializer):
            before = serializers.CharField()
            after = serializers.CharField()
            examples = serializers.IntegerField()

        number = serializers.IntegerField(source="after.number")
        against = serializers.IntegerField(source="before.number", default=None, allow_null=True)
        counts = serializers.DictField(
            child=serializers.IntegerField(), help_text="added, relabeled, removed, confirmed"
        )
        classes = ClassSerializer(many=True)
        moves = MoveSerializer(many=True, help_text="From one label to another, the most frequent first.")

    @extend_schema(
        operation_id="dataset_versions_diff",
        responses=OutputSerializer,
        parameters=[AGAINST],
        summary="What tells two versions apart, in numbers",
    )
    def get(self, request: Request, project_id: int, number: int) -> Response:
        return Response(self.OutputSerializer(self.diff(request, number)).data)


class DatasetVersionChangesAPI(_DiffAPI):
    class OutputSerializer(serializers.Serializer):
        example_id = serializers.IntegerField(source="row.example_id")
        change = serializers.CharField(source="kind.value")
        before = serializers.CharField(source="before.label", default=None, allow_null=True)
        after = serializers.CharField(source="after.label", default=None, allow_null=True)
        holdout = serializers.BooleanField(source="row.holdout")
        resolved_at = serializers.DateTimeField(source="row.resolved_at")
        annotations = serializers.ListField(child=serializers.IntegerField(), source="row.annotations")
        functions = serializers.ListField(child=serializers.CharField(), source="row.functions")
        source = serializers.CharField(source="row.source")

    @extend_schema(
        operation_id="dataset_versions_changes",
        responses=OutputSerializer(many=True),
        parameters=[AGAINST, KIND],
        summary="Every example that differs between two versions, with its lineage",
    )
    def get(self, request: Request, project_id: int, number: int) -> Response:
        changes = self.diff(request, number).of_kind(DiffFilter(request.query_params).kind)
        return self.page(changes, self.OutputSerializer)
