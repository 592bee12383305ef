"""Rollouts over the API: release a version, watch its steps and looks, go on, pause, stop; the policy as JSON or YAML."""

from datetime import datetime
from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.api import PolicySent, VersionedPolicyAPI, policy_schema, policy_sent
from apps.projects.roles import Permission
from apps.releases.models import ReleaseRequest, RequestState, Rollout
from apps.releases.registry.approving import release_ask
from apps.releases.rollouts import services
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.replaying import ReplayOutcome, replay
from apps.releases.rollouts.selectors import rollout_for, rollouts_of
from apps.releases.selectors import version_for


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


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=400)


class ReleaseRequestOutput(serializers.Serializer):
    id = serializers.IntegerField()
    version = serializers.IntegerField(source="version.number")
    state = serializers.ChoiceField(choices=RequestState.values)
    reason = serializers.CharField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="What whoever decided said.")
    rollout_id = serializers.IntegerField(allow_null=True, help_text="What the approval started.")


class RolloutsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(operation_id="rollouts_list", responses=RolloutOutput(many=True), summary="Rollouts, newest first")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(rollouts_of(self.project), RolloutOutput)


@policy_schema("release_policy", read="What a release does", write="Set what a release does")
class ReleasePolicyAPI(VersionedPolicyAPI):
    """In the words of Argo Rollouts."""

    kind = RELEASE_POLICY
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.PROMOTE}


class ReleaseAPI(APIView):
    @extend_schema(
        operation_id="models_release",
        request=ReasonSerializer,
        responses={201: RolloutOutput, 202: ReleaseRequestOutput},
        summary="Release a version as the project’s policy says, or ask for it where a second person has to approve",
    )
    def post(self, request: Request, version_id: int) -> Response:
        user = cast(User, request.user)
        version = version_for(user, version_id, Permission.PROMOTE, changes=True)
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        begun = release_ask(version=version, reason=given.validated_data["reason"], by=user, at=timezone.now())
        if isinstance(begun, ReleaseRequest):
            return Response(ReleaseRequestOutput(begun).data, status=202)
        return Response(RolloutOutput(begun).data, status=201)


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
        request=PolicySent,
        responses=ReplayOutput,
        summary="What another policy would have made of its recorded answers; nothing is changed",
    )
    def post(self, request: Request, rollout_id: int) -> Response:
        rollout = rollout_for(cast(User, request.user), rollout_id, Permission.VIEW_RUNS)
        given = PolicySent(data=request.data)
        given.is_valid(raise_exception=True)
        tried = policy_sent(RELEASE_POLICY, given.validated_data)
        told = replay(rollout=rollout, policy=tried, now=timezone.now())
        return Response(ReplayOutput(told).data)


class RolloutActAPI(APIView):
    """What may be done with a rollout: each act is a subclass that says which service does it."""

    in_archive: ClassVar[bool] = False

    def act(self, rollout: Rollout, *, reason: str, by: User, at: datetime) -> Rollout:
        raise NotImplementedError

    def post(self, request: Request, rollout_id: int) -> Response:
        user = cast(User, request.user)
        rollout = rollout_for(user, rollout_id, Permission.PROMOTE, changes=not self.in_archive)
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        moved = self.act(rollout, reason=given.validated_data["reason"], by=user, at=timezone.now())
        return Response(RolloutOutput(moved).data)


def _act_schema(name: str, summary: str, *, why: bool = False) -> Any:
    operation = extend_schema(
        operation_id=f"rollouts_{name}",
        request=ReasonSerializer if why else None,
        responses=RolloutOutput,
        summary=summary,
    )
    return extend_schema_view(post=operation)


@_act_schema("pause", "Hold the weight as it is")
class RolloutPauseAPI(RolloutActAPI):
    def act(self, rollout: Rollout, *, reason: str, by: User, at: datetime) -> Rollout:
        return services.rollout_pause(rollout=rollout, by=by, at=at)


@_act_schema("resume", "Go on after a pause")
class RolloutResumeAPI(RolloutActAPI):
    def act(self, rollout: Rollout, *, reason: str, by: User, at: datetime) -> Rollout:
        return services.rollout_resume(rollout=rollout, by=by, at=at)


@_act_schema("promote", "All traffic now, whatever steps are left; the reason has at least 20 characters", why=True)
class RolloutPromoteAPI(RolloutActAPI):
    def act(self, rollout: Rollout, *, reason: str, by: User, at: datetime) -> Rollout:
        return services.rollout_promote(rollout=rollout, reason=reason, by=by, at=at)


@_act_schema("abort", "Back to the champion alone, at once", why=True)
class RolloutAbortAPI(RolloutActAPI):
    in_archive = True  # what is on its way may be stopped there too

    def act(self, rollout: Rollout, *, reason: str, by: User, at: datetime) -> Rollout:
        return services.rollout_abort(rollout=rollout, reason=reason, by=by, at=at)
