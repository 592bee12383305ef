"""Feedback over the API: send it, one or a batch; read it, its dead letters and what it says; set how it is read."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.errors import Invalid
from apps.monitoring.feedback import selectors
from apps.monitoring.feedback.services import MOST_ROWS, FeedbackStatus, feedback_take
from apps.monitoring.feedback.settings import feedback_settings_of, feedback_settings_set
from apps.pages.periods import NAMED, period_named
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class AnyNumberJSON(JSONParser):
    """NaN and Infinity are read too: the row that has one is refused, and not the whole batch."""

    strict = False


class FeedbackInput(serializers.Serializer):
    inference_id = serializers.CharField(help_text="The `id` of the answer; a whole number is taken digit by digit.")
    item = serializers.IntegerField(
        required=False, help_text="Which row of the request, from 0; needed where it had several."
    )
    label = serializers.CharField(required=False, help_text="What it really was; or `name` and `value` instead.")
    name = serializers.CharField(required=False, help_text="Of a number: click, rating, revenue.")
    value = serializers.FloatField(required=False, help_text="Also true or false, for 1 or 0.")
    at = serializers.DateTimeField(required=False, help_text="When it happened; else when it came.")


class FeedbackBatchInput(serializers.Serializer):
    rows = FeedbackInput(many=True, help_text=f"At most {MOST_ROWS:,}; each is answered for itself.")


class FeedbackRowOutput(serializers.Serializer):
    status = serializers.ChoiceField(
        choices=[str(each) for each in FeedbackStatus],
        help_text="waiting: no answer has this id yet, which is tried for 7 days. known: the same came before. older: what "
        "is kept happened later.",
    )
    reason = serializers.CharField(help_text="Of a refused row; else empty.")


class FeedbackTakenOutput(serializers.Serializer):
    rows = FeedbackRowOutput(many=True, help_text="In the order of the request.")
    refused = serializers.IntegerField()


class FeedbackOutput(serializers.Serializer):
    inference_id = serializers.CharField()
    item = serializers.IntegerField()
    name = serializers.CharField()
    label = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    corrections = serializers.IntegerField()
    answered_at = serializers.DateTimeField(allow_null=True, help_text="Null while no answer has this id.")
    model_number = serializers.IntegerField(allow_null=True)
    arm = serializers.CharField()
    rollout = serializers.IntegerField(allow_null=True)
    predicted = serializers.CharField()
    worth = serializers.FloatField(allow_null=True, help_text="What a metric counts: 1 or 0 of a label, or the number.")


class FeedbackLetterOutput(serializers.Serializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    inference_id = serializers.CharField()
    row = serializers.JSONField()
    reason = serializers.CharField()


class ArmMeanOutput(serializers.Serializer):
    version = serializers.IntegerField()
    arm = serializers.CharField()
    requests = serializers.IntegerField(help_text="Mature ones that count.")
    mean = serializers.FloatField(help_text="Accuracy where the name is “label”.")
    half = serializers.FloatField(help_text="Half of its 95 % interval, each request one draw.")


class FeedbackMetricsOutput(serializers.Serializer):
    name = serializers.CharField(source="chosen.name", default="", help_text="Empty where nothing came back.")
    period = serializers.CharField(source="period.name")
    maturity_hours = serializers.FloatField(source="settings.maturity_hours")
    immature_share = serializers.FloatField(source="chosen.immature_share", default=None, allow_null=True)
    answered = serializers.IntegerField(help_text="Rows of requests that were answered in the period.")
    with_feedback = serializers.IntegerField()
    waiting = serializers.IntegerField()
    dead_letters = serializers.IntegerField(source="letters")
    arms = ArmMeanOutput(many=True)


class FeedbackSettingsOutput(serializers.Serializer):
    maturity_hours = serializers.FloatField(help_text="An answer is judged once it is older.")
    zero_names = serializers.ListField(
        child=serializers.CharField(), help_text="Numbers that are 0 where nothing came: a click that was not made."
    )
    payloads = serializers.ChoiceField(
        choices=["none", "sample", "all"], help_text="Of which requests the log keeps what was asked about."
    )
    sample_share = serializers.FloatField(help_text="0 to 1.")
    payload_days = serializers.IntegerField()
    log_days = serializers.IntegerField(allow_null=True, help_text="Of answers and feedback; null keeps them.")
    answer_share = serializers.FloatField(
        help_text="Of answers that the log keeps a row of, 0.0001 to 1; counts are of all. Answers of a rollout all stay."
    )
    label_shares = serializers.DictField(
        child=serializers.FloatField(), help_text="By label, where another share of the answers holds."
    )
    left_out = serializers.IntegerField(help_text="Pieces of feedback whose answer the log has no row of, for that.")
    becomes_examples = serializers.BooleanField(
        help_text="Whether mature labels of requests whose content was kept become examples."
    )


class FeedbackAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR, "POST": Permission.SEND_FEEDBACK}
    parser_classes = [AnyNumberJSON]

    @extend_schema(operation_id="feedback_list", responses=FeedbackOutput(many=True), summary="Feedback, newest first")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(selectors.feedback_rows(self.project), FeedbackOutput)

    @extend_schema(
        operation_id="feedback_send",
        request=PolymorphicProxySerializer(
            component_name="FeedbackSent",
            serializers=[FeedbackInput, FeedbackBatchInput],
            resource_type_field_name=None,
        ),
        responses=FeedbackTakenOutput,
        summary="Send what came back for an answer, one piece or a batch",
    )
    def post(self, request: Request, project_id: int) -> Response:
        rows, alone = _rows(request.data)
        answers = feedback_take(project=self.project, rows=rows, at=timezone.now())
        if alone and answers[0].status is FeedbackStatus.REFUSED:
            raise Invalid(answers[0].reason)
        refused = sum(each.status is FeedbackStatus.REFUSED for each in answers)
        return Response(FeedbackTakenOutput({"rows": answers, "refused": refused}).data)


def _rows(given: Any) -> tuple[list[Any], bool]:
    """The rows of a request, and whether it is one alone. Raises Invalid."""
    if not isinstance(given, dict):
        raise Invalid(gettext("Send an object: one piece of feedback, or “rows” with several."))
    if "rows" not in given:
        return [given], True
    rows = given["rows"]
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        words = gettext("“rows” is a list of 1 to {most:,} pieces of feedback.").format(most=MOST_ROWS)
        raise Invalid(words, field="rows")
    return rows, False


class FeedbackLettersAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(
        operation_id="feedback_letters_list",
        responses=FeedbackLetterOutput(many=True),
        summary="Feedback that could not be used, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(selectors.letters_of(self.project), FeedbackLetterOutput)


class FeedbackMetricsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(
        operation_id="feedback_metrics",
        responses=FeedbackMetricsOutput,
        summary="What mature feedback says of each version and arm",
        parameters=[
            OpenApiParameter("name", OpenApiTypes.STR, description="“label” or the name of a number; else the first."),
            OpenApiParameter(
                "period", OpenApiTypes.STR, enum=list(NAMED), description="Up to now; else one that fits."
            ),
        ],
    )
    def get(self, request: Request, project_id: int) -> Response:
        asked, at = request.query_params, timezone.now()
        fitting = selectors.period_that_fits(feedback_settings_of(self.project))
        period = period_named(asked.get("period") or fitting, at)
        board = selectors.board_of(self.project, at, period, name=asked.get("name", ""))
        return Response(FeedbackMetricsOutput(board).data)


class FeedbackSettingsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR, "PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        maturity_hours = serializers.FloatField(required=False)
        zero_names = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
        payloads = serializers.CharField(required=False, max_length=6)
        sample_share = serializers.FloatField(required=False)
        payload_days = serializers.IntegerField(required=False)
        log_days = serializers.IntegerField(required=False, allow_null=True)
        answer_share = serializers.FloatField(required=False)
        label_shares = serializers.DictField(child=serializers.FloatField(), required=False)
        becomes_examples = serializers.BooleanField(required=False)

    @extend_schema(
        operation_id="feedback_settings_read",
        responses=FeedbackSettingsOutput,
        summary="How feedback is read, and what the log keeps",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(FeedbackSettingsOutput(feedback_settings_of(self.project)).data)

    @extend_schema(
        operation_id="feedback_settings_set",
        request=InputSerializer,
        responses=FeedbackSettingsOutput,
        summary="Set what you name; the rest stays",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        feedback_settings_set(
            project=self.project, by=cast(User, request.user), at=timezone.now(), **given.validated_data
        )
        return Response(FeedbackSettingsOutput(feedback_settings_of(self.project)).data)
