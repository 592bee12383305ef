"""Dataset versions over the API: the list, and what tells two of them apart."""

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.datasets.version_forms import DiffFilter
from apps.datasets.version_selectors import KINDS, VersionDiff, version_diff, versions_of
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
        operation_id="dataset_versions_list", responses=DatasetVersionOutput(many=True),
        summary="Versions of the labels that runs train on",
    )  # fmt: skip
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
        operation_id="dataset_versions_diff", responses=OutputSerializer, parameters=[AGAINST],
        summary="What tells two versions apart, in numbers",
    )  # fmt: skip
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
        operation_id="dataset_versions_changes", responses=OutputSerializer(many=True), parameters=[AGAINST, KIND],
        summary="Every example that differs between two versions, with its lineage",
    )  # fmt: skip
    def get(self, request: Request, project_id: int, number: int) -> Response:
        changes = self.diff(request, number).of_kind(DiffFilter(request.query_params).kind)
        return self.page(changes, self.OutputSerializer)  # type: ignore[arg-type]
