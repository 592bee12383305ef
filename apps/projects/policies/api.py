"""A policy over the API, as JSON or YAML."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.errors import Invalid
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.kinds import P, PolicyKind, V
from apps.projects.policies.selectors import policy_newest, policy_read
from apps.projects.policies.services import policy_given, policy_given_yaml, policy_set
from apps.rules.policies import MOST_TEXT


class PolicyVersionOutput(serializers.Serializer):
    number = serializers.IntegerField(help_text="Counts the edits; 0 while the project has the one it came with.")
    policy = serializers.DictField()


class PolicySent(serializers.Serializer):
    policy = serializers.DictField(required=False, help_text="As GET gives it; or `yaml` instead.")
    yaml = serializers.CharField(required=False, max_length=MOST_TEXT, trim_whitespace=False)


class PolicyEditSent(PolicySent):
    over = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="The number that you read: where another was set since, yours is refused (409) and replaces nothing.",
    )


def policy_sent(kind: PolicyKind[V, P], sent: Mapping[str, Any]) -> P:
    """Raises Invalid."""
    if ("policy" in sent) == ("yaml" in sent):
        raise Invalid(gettext("Send either “policy” or “yaml”."), field="policy")
    return policy_given(kind, sent["policy"]) if "policy" in sent else policy_given_yaml(kind, sent["yaml"])


class VersionedPolicyAPI(ProjectAPI):
    """GET and PUT of one kind; a subclass says which, who may, and stands under `policy_schema`."""

    kind: ClassVar[PolicyKind[Any, Any]]

    def get(self, request: Request, project_id: int) -> Response:
        return self._newest()

    def put(self, request: Request, project_id: int) -> Response:
        given = PolicyEditSent(data=request.data)
        given.is_valid(raise_exception=True)
        sent = given.validated_data
        policy, by = policy_sent(self.kind, sent), cast(User, request.user)
        policy_set(self.kind, project=self.project, policy=policy, by=by, at=timezone.now(), over=sent.get("over"))
        return self._newest()

    def _newest(self) -> Response:
        newest = policy_newest(self.kind, self.project)
        number = newest.number if newest else 0
        return Response({"number": number, "policy": policy_read(self.kind, newest).written()})


A = TypeVar("A", bound=type[VersionedPolicyAPI])


def policy_schema(name: str, *, read: str, write: str) -> Callable[[A], A]:
    """The operations `name` and `name`_set with their summaries."""
    return extend_schema_view(
        get=extend_schema(operation_id=name, responses=PolicyVersionOutput, summary=read),
        put=extend_schema(
            operation_id=f"{name}_set", request=PolicyEditSent, responses=PolicyVersionOutput, summary=write
        ),
    )
