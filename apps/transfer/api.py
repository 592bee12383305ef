"""The export over the API: the same file, the same words. What comes in goes through `examples/` or `uploads/`."""

from typing import ClassVar, cast

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.transfer.exporting import GRAINS
from apps.transfer.formats import FORMATS
from apps.transfer.services import export_begin


class ExportAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="export",
        summary="Answers, labels or predictions as a file, streamed",
        responses={(200, *sorted({each.media_type for each in FORMATS.values()})): OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter("as", OpenApiTypes.STR, enum=list(FORMATS), default="jsonl"),
            OpenApiParameter("what", OpenApiTypes.STR, enum=list(GRAINS), default="labels"),
            OpenApiParameter("images", OpenApiTypes.BOOL, default=True, description="Whether the images go along."),
        ],
    )
    def get(self, request: Request, project_id: int) -> HttpResponseBase:
        asked = request.query_params
        return export_begin(
            project=self.project,
            name=asked.get("as", "jsonl"),
            grain=asked.get("what", "labels"),
            content=asked.get("images", "1").lower() not in ("0", "false"),
            by=cast(User, request.user),
            at=timezone.now(),
        )
