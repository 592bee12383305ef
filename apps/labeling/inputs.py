"""What the desk and the API are sent, checked alike at both doors."""

from typing import Any

from rest_framework import serializers

from apps.labeling.models import QUEUED_LANES, ErrorKind, SkipReason
from apps.labeling.services.annotations import MOST_COMMENT
from apps.labeling.services.assignments import MOST_HELD
from apps.projects.models import SchemaLabel

LONGEST_LABEL = SchemaLabel._meta.get_field("name").max_length


class AnswerInput(serializers.Serializer[Any]):
    """An answer without the assignment that it is for."""

    client_id = serializers.UUIDField(help_text="Made by you; the same one again stores nothing twice.")
    label = serializers.CharField(  # type: ignore[assignment]  # a field of serializers has a label of its own
        required=False, default="", allow_blank=True, max_length=LONGEST_LABEL, trim_whitespace=False
    )
    value = serializers.DictField(
        required=False,
        default=None,
        allow_null=True,
        help_text='{"labels": [..]}, {"spans": [{"start", "end", "label"}]} (code points, end exclusive) or '
        '{"boxes": [{"x", "y", "width", "height", "label"}]} (pixels), as the task type says.',
    )
    skip_reason = serializers.ChoiceField(choices=SkipReason.choices, required=False, default="", allow_blank=True)
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=MOST_COMMENT)
    flagged = serializers.BooleanField(required=False, default=False)
    error_kind = serializers.ChoiceField(
        choices=ErrorKind.choices,
        required=False,
        default="",
        allow_blank=True,
        help_text="In the review lane: why the answers differed.",
    )
    active_ms = serializers.IntegerField(required=False, default=0, min_value=0)
    shown_at = serializers.DateTimeField(required=False, default=None, allow_null=True)


class SubmitInput(AnswerInput):
    assignment = serializers.IntegerField(min_value=1)
    token = serializers.UUIDField()


class NextInput(serializers.Serializer[Any]):
    count = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MOST_HELD)
    lane = serializers.ChoiceField(
        choices=list(QUEUED_LANES),
        required=False,
        default="",
        allow_blank=True,
        help_text="Take from this lane only, as those who came to review do.",
    )
