"""Rollouts over the API: release a version, watch its steps and looks, go on, pause, stop; the policy as JSON or YAML."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.errors import Invalid
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.releases.rollouts import services
from apps.releases.rollouts.replaying import ReplayOutcome, replay
from apps.releases.rollouts.selectors import policies_of, policy_in_force, rollout_for, rollouts_of
from apps.releases.selectors import version_for
from apps.rules.rollouts.policy import PolicyRefused, RolloutPolicy, policy_of_yaml


class LookOutput(serializers.Serializer):
    step = serializers.IntegerField(help_text="From 0, as in the policy.")
    metric = serializers.CharField(source="name")
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    canary = serializers.FloatField(allow_null=True, help_text="Null where the arm has no figure yet.")
    stable = serializers.FloatField(allow_null=True)
    samples = serializers.IntegerField(help_text="Of the canary.")
    z = serializers.FloatField(help_text="The difference in standard deviations, canary minus stable.")
    bound = serializers.FloatField(allow_null=True, help_text="The z value at which this look fails; null for none.")
    phase = serializers.ChoiceField(choices=["Running", "Successful", "Failed", "Inconclusive"])
    sentence = serializers.CharField()


class RolloutOutput(serializers.Serializer):
    id = serializers.IntegerField()
    version = serializers.IntegerField(source="version.number")
    stable = serializers.IntegerField(source="stable.number", default=None, allow_null=True)
    phase = serializers.ChoiceField(choices=["Progressing", "Paused", "Healthy", "Degraded"])
    pause = serializers.ChoiceField(
        choices=["", "step", "inconclusive", "split", "person"], help_text="Why it is paused; empty while it is not."
    )
    message = serializers.CharField()
    step = serializers.IntegerField(help_text="From 0, as in the policy.")
    weight = serializers.FloatField(help_text="Percentage of entities that meet the version now.")
    mirror = serializers.FloatField(help_text="Percentage of the champion’s requests that it answers unseen.")
    policy = serializers.DictField()
    reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RolloutDetailOutput(RolloutOutput):
    looks = LookOutput(many=True, source="looks.all")


class ReleasePolicyOutput(serializers.Serializer):
    number = serializers.IntegerField(help_text="Counts the edits; 0 while the project has the one it came with.")
    policy = serializers.DictField()


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=400)


class RolloutsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(operation_id="rollouts_list", responses=RolloutOutput(many=True), summary="Rollouts, newest first")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(rollouts_of(self.project), RolloutOutput)


class ReleasePolicyAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.PROMOTE}

    class InputSerializer(serializers.Serializer):
        policy = serializers.DictField(required=False, help_text="In Argo Rollouts’ words; or `yaml` instead.")
        yaml = serializers.CharField(required=False, max_length=20_000, trim_whitespace=False)

    @extend_schema(operation_id="release_policy", responses=ReleasePolicyOutput, summary="What a release does")
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self._said())

    @extend_schema(
        operation_id="release_policy_set",
        request=InputSerializer,
        responses=ReleasePolicyOutput,
        summary="Set what a release does",
    )
    def put(self, request: Request, project_id: int) -> Response:
        policy = _policy_sent(request)
        services.release_policy_set(project=self.project, policy=policy, by=cast(User, request.user), at=timezone.now())
        return Response(self._said())

    def _said(self) -> dict[str, Any]:
        newest = policies_of(self.project).first()
        return {"number": newest.number if newest else 0, "policy": policy_in_force(self.project).written()}


def _policy_sent(request: Request) -> RolloutPolicy:
    given = ReleasePolicyAPI.InputSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    if ("policy" in given.validated_data) == ("yaml" in given.validated_data):
        raise Invalid(gettext("Send either “policy” or “yaml”."), field="policy")
    if "policy" in given.validated_data:
        return services.policy_given(given.validated_data["policy"])
    try:
        return policy_of_yaml(given.validated_data["yaml"])
    except PolicyRefused as refused:
        raise Invalid(str(refused), field="yaml") from None


class ReleaseAPI(APIView):
    @extend_schema(
        operation_id="models_release",
        request=ReasonSerializer,
        responses={201: RolloutOutput},
        summary="Release a version as the project’s policy says",
    )
    def post(self, request: Request, version_id: int) -> Response:
        user = cast(User, request.user)
        version = version_for(user, version_id, Permission.PROMOTE, changes=True)
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rollout = services.release_start(
            version=version, reason=given.validated_data["reason"], by=user, at=timezone.now()
        )
        return Response(RolloutOutput(rollout).data, status=201)


class RolloutAPI(APIView):
    @extend_schema(operation_id="rollouts_get", responses=RolloutDetailOutput, summary="One rollout with all its looks")
    def get(self, request: Request, rollout_id: int) -> Response:
        rollout = rollout_for(cast(User, request.user), rollout_id, Permission.VIEW_RUNS)
        return Response(RolloutDetailOutput(rollout).data)


class ReplayLookOutput(serializers.Serializer):
    step = serializers.IntegerField(help_text="From 0, as in the policy.")
    number = serializers.IntegerField()
    metric = serializers.CharField()
    at = serializers.DateTimeField()
    canary = serializers.FloatField(source="figures.canary", allow_null=True)
    stable = serializers.FloatField(source="figures.stable", allow_null=True)
    samples = serializers.IntegerField(source="figures.samples")
    phase = serializers.ChoiceField(
        source="judgment.phase", choices=["Running", "Successful", "Failed", "Inconclusive"]
    )
    sentence = serializers.CharField(source="judgment.reason")


class ReplayOutput(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in ReplayOutcome])
    step = serializers.IntegerField(help_text="Where it ended; from 0, as in the policy.")
    look = serializers.IntegerField(allow_null=True, help_text="The look that decided; null where none did.")
    at = serializers.DateTimeField()
    sentence = serializers.CharField(source="words")
    looks = ReplayLookOutput(many=True)


class RolloutReplayAPI(APIView):
    @extend_schema(
        operation_id="rollouts_replay",
        request=ReleasePolicyAPI.InputSerializer,
        responses=ReplayOutput,
        summary="What another policy would have made of its recorded answers; nothing is changed",
    )
    def post(self, request: Request, rollout_id: int) -> Response:
        rollout = rollout_for(cast(User, request.user), rollout_id, Permission.VIEW_RUNS)
        told = replay(rollout=rollout, policy=_policy_sent(request), now=timezone.now())
        return Response(ReplayOutput(told).data)


class RolloutPauseAPI(APIView):
    @extend_schema(
        operation_id="rollouts_pause", request=None, responses=RolloutOutput, summary="Hold the weight as it is"
    )
    def post(self, request: Request, rollout_id: int) -> Response:
        user = cast(User, request.user)
        rollout = rollout_for(user, rollout_id, Permission.PROMOTE, changes=True)
        return Response(RolloutOutput(services.rollout_pause(rollout=rollout, by=user, at=timezone.now())).data)


class RolloutResumeAPI(APIView):
    @extend_schema(operation_id="rollouts_resume", request=None, responses=RolloutOutput, summary="Go on after a pause")
    def post(self, request: Request, rollout_id: int) -> Response:
        user = cast(User, request.user)
        rollout = rollout_for(user, rollout_id, Permission.PROMOTE, changes=True)
        return Response(RolloutOutput(services.rollout_resume(rollout=rollout, by=user, at=timezone.now())).data)


class RolloutPromoteAPI(APIView):
    class InputSerializer(serializers.Serializer):
        reason = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=400, help_text="At least 20 characters."
        )

    @extend_schema(
        operation_id="rollouts_promote",
        request=InputSerializer,
        responses=RolloutOutput,
        summary="All traffic now, whatever steps are left",
    )
    def post(self, request: Request, rollout_id: int) -> Response:
        user = cast(User, request.user)
        rollout = rollout_for(user, rollout_id, Permission.PROMOTE, changes=True)
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        moved = services.rollout_promote(
            rollout=rollout, reason=given.validated_data["reason"], by=user, at=timezone.now()
        )
        return Response(RolloutOutput(moved).data)


class RolloutAbortAPI(APIView):
    @extend_schema(
        operation_id="rollouts_abort",
        request=ReasonSerializer,
        responses=RolloutOutput,
        summary="Back to the champion alone, at once",
    )
    def post(self, request: Request, rollout_id: int) -> Response:
        user = cast(User, request.user)
        rollout = rollout_for(user, rollout_id, Permission.PROMOTE)  # stopped in the archive too
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        stopped = services.rollout_abort(
            rollout=rollout, reason=given.validated_data["reason"], by=user, at=timezone.now()
        )
        return Response(RolloutOutput(stopped).data)
