"""The export over the API: the same file, the same words. What comes in goes through `examples/` or `uploads/`."""

from typing import ClassVar, cast

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.transfer.exporting import GRAINS
from apps.transfer.formats import FORMATS
from apps.transfer.mapping import mapping_forget, mapping_set, naming_of
from apps.transfer.services import export_begin


class MappingAPI(ProjectAPI):
    """What the columns of this project's files are."""

    needs: ClassVar[dict[str, Permission]] = {
        "GET": Permission.VIEW_DATA,
        "PUT": Permission.ADD_EXAMPLES,
        "DELETE": Permission.ADD_EXAMPLES,
    }

    class MappingSerializer(serializers.Serializer):
        roles = serializers.DictField(
            child=serializers.CharField(),
            help_text="By column of a file: id, label, collected_at, group, feature, ignore, or what an example shows "
            "(text; image; prompt, a, b). Other columns are what they are called.",
        )
        make_ids = serializers.BooleanField(
            default=False, help_text="Whether a row without an id gets one from its content, the same in every file."
        )

    @extend_schema(operation_id="mapping_read", responses=MappingSerializer, summary="What the columns of files are")
    def get(self, request: Request, project_id: int) -> Response:
        return self._answer()

    @extend_schema(
        operation_id="mapping_set",
        request=MappingSerializer,
        responses=MappingSerializer,
        summary="Say what the columns of files and batches are, from the next one on",
    )
    def put(self, request: Request, project_id: int) -> Response:
        checked = self.MappingSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        mapping_set(project=self.project, **checked.validated_data, by=cast(User, request.user), at=timezone.now())
        return self._answer()

    @extend_schema(operation_id="mapping_forget", responses={204: None}, summary="Every column is what it is called")
    def delete(self, request: Request, project_id: int) -> Response:
        mapping_forget(project=self.project, by=cast(User, request.user), at=timezone.now())
        return Response(status=204)

    def _answer(self) -> Response:
        naming = naming_of(self.project)
        return Response({"roles": dict(naming.roles), "make_ids": naming.make_ids})


class ExportAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}
    makes_wait = frozenset({"GET"})

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
