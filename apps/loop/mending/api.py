"""What follows from an alarm over the API: its links, one call each, and the policy."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.selectors import NEEDED, follow_up_of
from apps.loop.mending.services import link_do
from apps.loop.models import MendingLink, StepState
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.api import VersionedPolicyAPI, policy_schema
from apps.projects.roles import Permission
from apps.rules.mending import ShiftKind


@policy_schema("alarm_policy", read="What an alarm does", write="Set what an alarm does")
class AlarmPolicyAPI(VersionedPolicyAPI):
    kind = ALARM_POLICY
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR, "PUT": Permission.SET_MONITORS}


class MendingStepOutput(serializers.Serializer):
    link = serializers.ChoiceField(choices=MendingLink.values)
    state = serializers.ChoiceField(choices=StepState.values)
    words = serializers.CharField()
    at = serializers.DateTimeField()


class FollowUpOutput(serializers.Serializer):
    alert = serializers.IntegerField(source="alert.pk")
    model = serializers.IntegerField(
        source="mending.model_number", default=None, allow_null=True, help_text="The version that the alarm is about."
    )
    steps = MendingStepOutput(many=True)
    examples = serializers.IntegerField(source="counts.examples", help_text="Of its lane.")
    labels = serializers.IntegerField(source="counts.labeled")
    shift = serializers.ChoiceField(
        choices=["", *map(str, ShiftKind)], help_text="Which kind of shift it is; empty until somebody looked."
    )
    shift_words = serializers.CharField()
    run = serializers.IntegerField(source="mending.run.number", default=None, allow_null=True)
    measured = serializers.IntegerField(
        source="mending.measured_number", default=None, allow_null=True, help_text="The version held against it,"
    )
    judges = serializers.IntegerField(source="mending.judges", default=0, help_text="by so many labels:")
    before = serializers.IntegerField(source="mending.before", default=0, help_text="so many right by the old one,")
    after = serializers.IntegerField(source="mending.after", default=0, help_text="so many by the new one.")


class FollowUpAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_MONITOR}

    @extend_schema(operation_id="alerts_follow", responses=FollowUpOutput, summary="What follows from an alarm")
    def get(self, request: Request, project_id: int, alert_id: int) -> Response:
        return Response(FollowUpOutput(follow_up_of(self.project, alert_id)).data)


class MendingLinkAPI(ProjectAPI):
    """One click of the alarm; a subclass says which."""

    link: ClassVar[MendingLink]

    def post(self, request: Request, project_id: int, alert_id: int) -> Response:
        by = cast(User, request.user)
        link_do(project=self.project, alert_id=alert_id, link=self.link, by=by, at=timezone.now())
        return Response(FollowUpOutput(follow_up_of(self.project, alert_id)).data)


def _link_schema(name: str, summary: str) -> Any:
    operation = extend_schema(operation_id=f"alerts_{name}", request=None, responses=FollowUpOutput, summary=summary)
    return extend_schema_view(post=operation)


@_link_schema("roll_back", "Take back the release, or abort the rollout, that an alarm suspects")
class AlarmRollBackAPI(MendingLinkAPI):
    link = MendingLink.ROLLBACK
    needs: ClassVar[dict[str, Permission]] = {"POST": NEEDED[MendingLink.ROLLBACK]}


@_link_schema("label", "Make examples of requests of the alarm’s slice, and ask people for their labels")
class AlarmLaneAPI(MendingLinkAPI):
    link = MendingLink.LANE
    needs: ClassVar[dict[str, Permission]] = {"POST": NEEDED[MendingLink.LANE]}


@_link_schema("train", "Start a run on the labels of an alarm’s lane")
class AlarmRetrainAPI(MendingLinkAPI):
    link = MendingLink.RETRAIN
    needs: ClassVar[dict[str, Permission]] = {"POST": NEEDED[MendingLink.RETRAIN]}
