"""Ingestions and dead letters over the API. Sending examples closes the loop's first step and is in apps.loop.api."""

from typing import ClassVar

from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.datasets.selectors import dead_letters_of, ingestions_of
from apps.errors import NotFound
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


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
        found = ingestions_of(self.project).filter(pk=ingestion_id).first()
        if found is None:
            raise NotFound(gettext("There is no such upload in this project."))
        return Response(IngestionOutput(found).data)


class DeadLettersAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="dead_letters_list", responses=DeadLetterOutput(many=True), summary="Rows that did not fit, and why",
        parameters=[OpenApiParameter("ingestion", OpenApiTypes.INT, description="Only those of one upload.")],
    )  # fmt: skip
    def get(self, request: Request, project_id: int) -> Response:
        wanted = request.query_params.get("ingestion", "")
        letters = dead_letters_of(self.project, ingestion_id=int(wanted) if wanted.isdigit() else None)
        return self.page(letters, DeadLetterOutput)
