"""Online learning over the API: how it stands, and its settings."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.training.online_selectors import online_shown
from apps.training.services.online import PUBLISH_EVERY, learner_of, online_publish_ask, online_set


class OnlineAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PATCH": Permission.START_RUN}

    class OnlineSerializer(serializers.Serializer):
        enabled = serializers.BooleanField()
        publish_every = serializers.IntegerField(
            min_value=PUBLISH_EVERY[0], max_value=PUBLISH_EVERY[1], help_text="Examples between two models."
        )
        publish_now = serializers.BooleanField(write_only=True, required=False, help_text="Make a model at once.")

    class OnlineOutputSerializer(serializers.Serializer):
        enabled = serializers.BooleanField()
        publish_every = serializers.IntegerField()
        examples = serializers.IntegerField(help_text="Learned since it began.")
        unpublished = serializers.IntegerField(help_text="Of them, in no model yet.")
        waiting = serializers.IntegerField(help_text="Labels that it has not read yet.")
        progressive_loss = serializers.FloatField(
            allow_null=True, help_text="Nats; each example is predicted before it is learned."
        )
        progressive_accuracy = serializers.FloatField(allow_null=True)
        examples_per_s = serializers.FloatField(allow_null=True)
        updated_at = serializers.DateTimeField(allow_null=True)
        last_run = serializers.IntegerField(allow_null=True, help_text="Id of the run that recorded its last model.")
        error = serializers.CharField()

    @extend_schema(operation_id="online_read", responses=OnlineOutputSerializer, summary="How online learning stands")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self._shown())

    @extend_schema(
        operation_id="online_set",
        request=OnlineSerializer(partial=True),
        responses=OnlineOutputSerializer,
        summary="Switch online learning on or off, or make a model now; what is left out stays",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.OnlineSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        by, at, change = cast(User, request.user), timezone.now(), dict(given.validated_data)
        publish_now = change.pop("publish_now", False)
        if change:
            learner = learner_of(self.project)
            online_set(
                project=self.project,
                by=by,
                at=at,
                enabled=change.get("enabled", learner.enabled),
                publish_every=change.get("publish_every", learner.publish_every),
            )
        if publish_now:
            online_publish_ask(project=self.project, by=by, at=at)
        return Response(self._shown())

    def _shown(self) -> dict[str, Any]:
        found = online_shown(self.project)
        learner = found.learner
        return dict(
            self.OnlineOutputSerializer(
                {
                    "enabled": learner.enabled,
                    "publish_every": learner.publish_every,
                    "examples": learner.examples,
                    "unpublished": learner.unpublished,
                    "waiting": found.waiting,
                    "progressive_loss": found.loss,
                    "progressive_accuracy": found.accuracy,
                    "examples_per_s": found.examples_per_s,
                    "updated_at": learner.updated_at,
                    "last_run": learner.last_run_id,
                    "error": learner.error,
                }
            ).data
        )
