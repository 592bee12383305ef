"""What a person does with one example, over the API: correct it, flag it for a reviewer, have somebody else asked."""

import uuid
from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.labeling.api import AnnotationOutput
from apps.labeling.inputs import AnswerInput
from apps.labeling.models import ErrorKind, Lane
from apps.labeling.services.annotations import Answer
from apps.labeling.services.bulk import example_flag
from apps.labeling.services.corrections import example_ask_again, example_correct
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission

NO_ASSIGNMENT = {"assignment_id": 0, "token": uuid.UUID(int=0)}  # `example_correct` makes one


class CorrectionInput(AnswerInput):
    """An answer that decides: it is not skipped, and says why those before differed."""

    error_kind = serializers.ChoiceField(
        choices=ErrorKind.choices, help_text="Why the answers differed, or what was wrong with the label."
    )
    skip_reason = None  # type: ignore[assignment]  # which takes the field away
    flagged = None  # type: ignore[assignment]


class ExampleCorrectAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.REVIEW}

    @extend_schema(
        operation_id="examples_correct",
        request=CorrectionInput,
        responses={201: AnnotationOutput},
        summary="Decide what an example is, as a review does",
        description="What you answered before is withdrawn and stays on record. Gold is refused, and so is an example "
        "that somebody else reviews right now.",
    )
    def post(self, request: Request, project_id: int, example_id: int) -> Response:
        given = CorrectionInput(data=request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = {**given.validated_data, **NO_ASSIGNMENT}
        saved = example_correct(
            project=self.project,
            example_id=example_id,
            answer=Answer(**values),
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response(AnnotationOutput(saved.annotation).data, status=201)


class ExampleFlagAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.LABEL}

    class OutputSerializer(serializers.Serializer):
        example_id = serializers.IntegerField()
        waits_for = serializers.CharField(help_text="`review`: a reviewer is asked.")

    @extend_schema(
        operation_id="examples_flag",
        request=None,
        responses=OutputSerializer,
        summary="Ask a reviewer to look at an example",
    )
    def post(self, request: Request, project_id: int, example_id: int) -> Response:
        by = cast(User, request.user)
        example_flag(project=self.project, example_id=example_id, by=by, at=timezone.now())
        return Response(self.OutputSerializer({"example_id": example_id, "waits_for": Lane.REVIEW.value}).data)


class ExampleAskAgainAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.REVIEW}

    class OutputSerializer(serializers.Serializer):
        example_id = serializers.IntegerField()
        lane = serializers.CharField()
        queued_at = serializers.DateTimeField()

    @extend_schema(
        operation_id="examples_ask_again",
        request=None,
        responses={201: OutputSerializer},
        summary="Have somebody who has not answered it look at an example next",
    )
    def post(self, request: Request, project_id: int, example_id: int) -> Response:
        by = cast(User, request.user)
        item = example_ask_again(project=self.project, example_id=example_id, by=by, at=timezone.now())
        return Response(self.OutputSerializer(item).data, status=201)
