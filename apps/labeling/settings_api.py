"""How a project's queue runs, over the API."""

from dataclasses import asdict
from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.labeling.selectors import withheld_in
from apps.labeling.services.queue_settings import MOST_WEIGHT, queue_choices_of, queue_settings_set
from apps.projects.api_access import ProjectAPI
from apps.projects.models import Project
from apps.projects.roles import Permission


class QueueAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_PROJECT, "PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        strategy = serializers.CharField(required=False, max_length=40)
        encoder = serializers.CharField(required=False, max_length=80, allow_blank=True)
        overlap = serializers.IntegerField(required=False)
        lane_weights = serializers.DictField(
            child=serializers.IntegerField(min_value=0, max_value=MOST_WEIGHT), required=False
        )
        lane_overlap = serializers.DictField(child=serializers.IntegerField(min_value=1), required=False)
        consensus = serializers.CharField(required=False, max_length=12)
        review_at_most = serializers.FloatField(required=False)
        blind_share = serializers.FloatField(required=False)
        planted_share = serializers.FloatField(required=False)
        gold_failures = serializers.IntegerField(required=False)
        gold_feedback = serializers.BooleanField(required=False)

    class OutputSerializer(serializers.Serializer):
        strategy = serializers.CharField()
        encoder = serializers.CharField()
        overlap = serializers.IntegerField(help_text="Answers wanted for each example.")
        lane_weights = serializers.DictField(child=serializers.IntegerField())
        lane_overlap = serializers.DictField(
            child=serializers.IntegerField(), help_text="Lanes that want another number."
        )
        consensus = serializers.CharField(
            help_text="majority, dawid-skene, or best: whichever is right more often on gold."
        )
        review_at_most = serializers.FloatField(
            help_text="Agreement of the votes, 0 to 1, at which a reviewer decides."
        )
        blind_share = serializers.FloatField(help_text="Of the examples with a suggestion: how many show none.")
        planted_share = serializers.FloatField(help_text="Of gold examples: how many suggest a wrong label on purpose.")
        gold_failures = serializers.IntegerField(help_text="Wrong gold answers in a row, then a pause; 0 for never.")
        gold_feedback = serializers.BooleanField(
            help_text="Whether a gold answer is judged before the annotator’s eyes."
        )

        withheld = serializers.DictField(
            child=serializers.IntegerField(),
            help_text="Lanes of weight 0 in which examples wait, with how many: nobody is given them.",
        )

    def _told(self, project: Project) -> Response:
        withheld = {each.lane: each.waiting for each in withheld_in(project)}
        return Response(self.OutputSerializer({**asdict(queue_choices_of(project)), "withheld": withheld}).data)

    @extend_schema(operation_id="queue_read", responses=OutputSerializer, summary="How the queue is ordered")
    def get(self, request: Request, project_id: int) -> Response:
        return self._told(self.project)

    @extend_schema(
        operation_id="queue_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Set what you name; the rest stays, lanes included",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        given_by_name = dict(given.validated_data)
        kept = queue_settings_set(project=self.project, by=cast(User, request.user), at=timezone.now(), **given_by_name)
        return self._told(kept.project)
