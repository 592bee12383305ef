"""One example over the API: what is known of it, correct it, delete it; and those that were deleted."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.datasets.erasing import MOST_REASON, id_allow, tombstones_of
from apps.labeling.history import GivenAnswer
from apps.labeling.values import value_of
from apps.loop.api import ExampleOutput
from apps.loop.examples.selectors import example_story
from apps.loop.examples.services import example_delete
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class GivenAnswerOutput(serializers.Serializer):
    by = serializers.CharField(source="annotation.annotator.username")
    value = serializers.SerializerMethodField(help_text="Null where it was skipped.")
    skip_reason = serializers.CharField(source="annotation.skip_reason")
    lane = serializers.CharField(source="annotation.assignment.lane")
    suggested = serializers.CharField(source="guess", help_text="In words; empty where nothing was suggested.")
    comment = serializers.CharField(source="annotation.comment")
    flagged = serializers.BooleanField(source="annotation.flagged")
    error_kind = serializers.CharField(source="annotation.error_kind")
    active_ms = serializers.IntegerField(source="annotation.active_ms")
    answered_at = serializers.DateTimeField(source="annotation.answered_at")
    withdrawn_at = serializers.DateTimeField(source="annotation.withdrawn_at", allow_null=True)

    def get_value(self, line: GivenAnswer) -> dict[str, Any] | None:  # type: ignore[override]
        return value_of(line.annotation)


class ExampleStoryOutput(ExampleOutput):
    source = serializers.CharField(allow_null=True, help_text="What the label rests on; null while there is none.")
    answers = GivenAnswerOutput(many=True)
    versions = serializers.ListField(child=serializers.IntegerField(), help_text="Data versions that hold it.")


class TombstoneOutput(serializers.Serializer):
    number = serializers.IntegerField(help_text="The id that the example had here.")
    reason = serializers.CharField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    at = serializers.DateTimeField()
    cleared_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then its vectors are gone too, which takes a job some seconds."
    )
    allowed_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then the id that you gave it is taken again."
    )


class ExampleAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="examples_read", responses=ExampleStoryOutput, summary="One example with its answers and lineage"
    )
    def get(self, request: Request, project_id: int, example_id: int) -> Response:
        story = example_story(self.project, example_id, by=cast(User, request.user), at=timezone.now())
        found = story.example
        shown = {name: getattr(found, name) for name in ("id", "external_id", "fields", "holdout", "collected_at")}
        shown |= {
            "ingested_at": found.ingested_at,
            "label": {"label": story.label.label.label, "value": story.label.label.value} if story.label else None,
            "source": story.label.label.source if story.label else None,
            "answers": story.answers,
            "versions": story.versions.numbers if story.versions else [],
        }
        return Response(ExampleStoryOutput(shown).data)


class ExampleDeleteAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        reason = serializers.CharField(max_length=MOST_REASON, help_text="Kept beside the number, so name nobody.")

    @extend_schema(
        operation_id="examples_delete",
        request=InputSerializer,
        responses=TombstoneOutput,
        summary="Delete an example for good, as a request of privacy asks",
    )
    def post(self, request: Request, project_id: int, example_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        by, reason = cast(User, request.user), given.validated_data["reason"]
        gone = example_delete(project=self.project, example_id=example_id, reason=reason, by=by, at=timezone.now())
        return Response(TombstoneOutput(gone).data)


class TombstonesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    @extend_schema(
        operation_id="deleted_examples_list",
        responses=TombstoneOutput(many=True),
        summary="Examples that were deleted, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(tombstones_of(self.project).order_by("-number"), TombstoneOutput)


class TombstoneAllowAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.EDIT_PROJECT}

    @extend_schema(
        operation_id="deleted_examples_allow",
        request=None,
        responses=TombstoneOutput,
        summary="Take the id of a deleted example again; it becomes a new example",
    )
    def post(self, request: Request, project_id: int, number: int) -> Response:
        gone = id_allow(project=self.project, number=number, by=cast(User, request.user), at=timezone.now())
        return Response(TombstoneOutput(gone).data)
