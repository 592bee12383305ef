"""The API's steps that join stages: send examples, ask the champion, look for drift."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.datasets.api import IngestionOutput
from apps.datasets.listing import STATES, ListingAsked, examples_listed, lanes
from apps.datasets.listing_ranges import IN_API
from apps.datasets.services import MAX_API_BATCH
from apps.errors import Invalid
from apps.loop import services
from apps.monitoring.api import DriftOutput
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.releases import inference
from apps.releases.selectors import champion_of

FLAGS = {"true": True, "false": False}


class ExampleOutput(serializers.Serializer):
    id = serializers.IntegerField()
    external_id = serializers.CharField()
    payload = serializers.JSONField(source="fields")
    holdout = serializers.BooleanField()
    collected_at = serializers.DateTimeField()
    ingested_at = serializers.DateTimeField()
    label = serializers.CharField(
        source="label.label.name", default=None, allow_null=True, help_text="Where the answer is one label."
    )
    value = serializers.JSONField(
        source="label.value",
        default=None,
        allow_null=True,
        help_text='Every other kind of answer: {"labels": [..]}, {"spans": [..]} or {"boxes": [..]}. Both are null '
        "while the example has no label.",
    )


def _ranges() -> list[OpenApiParameter]:
    share = "Of the label, 0 to 1; what has no label is left out."
    when = "A day, which counts whole, or a moment of ISO 8601; UTC."
    told = {"confidence": share, "added": f"When it came in. {when}", "labeled": f"When it got its label. {when}"}
    return [OpenApiParameter(name, OpenApiTypes.STR, description=told[name.split("_")[0]]) for name in IN_API]


class ExamplesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA, "POST": Permission.ADD_EXAMPLES}

    class InputSerializer(serializers.Serializer):
        examples = serializers.ListField(
            child=serializers.DictField(),
            min_length=1,
            max_length=MAX_API_BATCH,
            help_text="Rows with `id`, then `text`, `image` (PNG, JPEG, WebP, GIF or BMP in base64) or features; "
            "optionally `label`, `collected_at`.",
        )

    @extend_schema(
        operation_id="examples_list",
        responses=ExampleOutput(many=True),
        summary="Examples, newest first",
        parameters=[
            OpenApiParameter("text", OpenApiTypes.STR, description="In the id or the stored fields."),
            OpenApiParameter("holdout", OpenApiTypes.BOOL),
            OpenApiParameter("labeled", OpenApiTypes.BOOL),
            OpenApiParameter("label", OpenApiTypes.STR, description="A label’s name, also a former one; “-” is none."),
            OpenApiParameter("by", OpenApiTypes.STR, description="User name of somebody who answered it."),
            OpenApiParameter("lane", OpenApiTypes.STR, enum=[name for name, _ in lanes()], description="Of an answer."),
            OpenApiParameter("state", OpenApiTypes.STR, enum=list(STATES)),
            *_ranges(),
        ],
    )
    def get(self, request: Request, project_id: int) -> Response:
        query = request.query_params
        asked = ListingAsked(query)
        if wrong := asked.ranges.not_understood:
            words = gettext("It is not understood.")
            raise serializers.ValidationError({name: [words] for name in wrong})
        found = examples_listed(self.project, asked)
        held, labeled = (FLAGS.get(query.get(name, "").lower()) for name in ("holdout", "labeled"))
        found = found if held is None else found.filter(holdout=held)
        found = found if labeled is None else found.filter(label__isnull=not labeled)
        return self.page(found.order_by("-id"), ExampleOutput)

    @extend_schema(
        operation_id="examples_create",
        request=InputSerializer,
        responses={201: IngestionOutput},
        summary="Send a batch; rows that do not fit become dead letters, the rest is taken",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rows: list[dict[str, Any]] = given.validated_data["examples"]
        taken = services.batch_take(
            project=self.project, rows=rows, source="api", by=cast(User, request.user), at=timezone.now()
        )
        return Response(IngestionOutput(taken).data, status=201)


class UploadsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.ADD_EXAMPLES}
    parser_classes = [MultiPartParser]

    class InputSerializer(serializers.Serializer):
        file = serializers.FileField(allow_empty_file=True)

    @extend_schema(
        operation_id="uploads_create",
        request={"multipart/form-data": InputSerializer},
        responses={202: IngestionOutput},
        summary="Send a CSV, JSONL or Parquet file; watch its ingestion",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        ingestion = services.upload_take(
            project=self.project,
            filename=file.name,
            size_bytes=file.size,
            chunks=file.chunks(),
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response(IngestionOutput(ingestion).data, status=202)


class QuestionRefused(Invalid):
    """In the protocol a request that does not fit the model is a bad request."""

    http_status = 400


class TensorOutput(serializers.Serializer):
    name = serializers.CharField()
    datatype = serializers.CharField(help_text="BYTES is text.")
    shape = serializers.ListField(child=serializers.IntegerField())
    data = serializers.ListField(child=serializers.JSONField())
    parameters = serializers.DictField(required=False)


class PredictOutput(serializers.Serializer):
    model_name = serializers.CharField()
    model_version = serializers.CharField()
    id = serializers.CharField(help_text="That of the request, or one made up; it stands in the list of predictions.")
    parameters = serializers.DictField(required=False, allow_null=True)
    outputs = TensorOutput(many=True)


class PredictAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.PREDICT}
    in_archive: ClassVar[frozenset[str]] = frozenset({"POST"})  # its champion goes on answering

    class InputSerializer(serializers.Serializer):
        id = serializers.CharField(required=False, max_length=100)
        inputs = serializers.ListField(
            child=serializers.DictField(),
            min_length=1,
            help_text="One tensor for each input that the model reads: “text”, “image” (base64), or one for each feature.",
        )
        parameters = serializers.DictField(
            required=False,
            help_text="{“allow_missing”: true} lets features be left out, which are then missing values; "
            "without it a feature that the model reads and the request lacks is refused.",
        )

    @extend_schema(
        operation_id="predict",
        request=InputSerializer,
        responses=PredictOutput,
        summary="Ask the champion, in the words of the Open Inference Protocol v2",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if champion_of(self.project) is None:
            raise services.NoChampion(gettext("No model serves yet. Promote one first."))
        try:
            return Response(inference.predict(model=self.project.slug, request=dict(given.validated_data)))
        except Invalid as wrong:
            raise QuestionRefused(wrong.message, **wrong.details) from None


class DriftAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.RESOLVE_ALERT}

    @extend_schema(operation_id="drift_check", request=None, responses={201: DriftOutput}, summary="Look for drift now")
    def post(self, request: Request, project_id: int) -> Response:
        return Response(DriftOutput(services.drift_check_now(project=self.project, at=timezone.now())).data, status=201)
