"""The registry over the API: aliases, releases that wait for a second person, and the rules of both."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.releases.models import Approval
from apps.releases.registry import aliases
from apps.releases.registry.approving import request_approve, request_decline
from apps.releases.registry.requests import request_for, requests_of
from apps.releases.registry.rules import ELIGIBLE, release_rules_of, release_rules_set
from apps.releases.rollouts.api import ReasonSerializer, ReleaseRequestOutput, RolloutOutput


class AliasOutput(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.IntegerField(source="version.number")
    version_id = serializers.IntegerField()
    set_at = serializers.DateTimeField()
    set_by = serializers.CharField(source="by.username", default=None, allow_null=True)


class AliasesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(operation_id="aliases_list", responses=AliasOutput(many=True), summary="Names of versions")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(aliases.aliases_of(self.project), AliasOutput)


class AliasAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {
        "GET": Permission.VIEW_RUNS,
        "PUT": Permission.VIEW_RUNS,  # which roles may set it is the alias's own rule
        "DELETE": Permission.VIEW_RUNS,
    }

    class InputSerializer(serializers.Serializer):
        version = serializers.IntegerField(min_value=1, help_text="The number of a version, as in v3.")

    @extend_schema(operation_id="aliases_read", responses=AliasOutput, summary="Which version a name points at")
    def get(self, request: Request, project_id: int, name: str) -> Response:
        return Response(AliasOutput(aliases.alias_named(self.project, name)).data)

    @extend_schema(
        operation_id="aliases_set",
        request=InputSerializer,
        responses=AliasOutput,
        summary="Point a name of your own at a version, from wherever it pointed",
    )
    def put(self, request: Request, project_id: int, name: str) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = aliases.version_numbered(self.project, given.validated_data["version"])
        by = cast(User, request.user)
        alias = aliases.alias_set(project=self.project, name=name, version=version, by=by, at=timezone.now())
        return Response(AliasOutput(alias).data)

    @extend_schema(operation_id="aliases_remove", responses={204: None}, summary="Remove a name of your own")
    def delete(self, request: Request, project_id: int, name: str) -> Response:
        aliases.alias_remove(project=self.project, name=name, by=cast(User, request.user), at=timezone.now())
        return Response(status=204)


class ReleaseRequestsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(
        operation_id="release_requests_list",
        responses=ReleaseRequestOutput(many=True),
        summary="Releases that waited for a second person, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(requests_of(self.project), ReleaseRequestOutput)


class ReleaseRequestApproveAPI(APIView):
    @extend_schema(
        operation_id="release_requests_approve",
        request=ReasonSerializer,
        responses={201: RolloutOutput},
        summary="Release what somebody else asked for",
    )
    def post(self, request: Request, request_id: int) -> Response:
        user = cast(User, request.user)
        waiting = request_for(user, request_id, Permission.APPROVE_RELEASE, changes=True)
        rollout = request_approve(request=waiting, answer=_reason(request), by=user, at=timezone.now())
        return Response(RolloutOutput(rollout).data, status=201)


class ReleaseRequestDeclineAPI(APIView):
    @extend_schema(
        operation_id="release_requests_decline",
        request=ReasonSerializer,
        responses=ReleaseRequestOutput,
        summary="Decline with a reason; whoever asked withdraws so, with or without one",
    )
    def post(self, request: Request, request_id: int) -> Response:
        user = cast(User, request.user)
        waiting = request_for(user, request_id, Permission.APPROVE_RELEASE, changes=True)
        ended = request_decline(request=waiting, answer=_reason(request), by=user, at=timezone.now())
        return Response(ReleaseRequestOutput(ended).data)


class ReleaseRulesOutput(serializers.Serializer):
    approval = serializers.ChoiceField(choices=Approval.values)
    alias_roles = serializers.DictField(child=serializers.ListField(child=serializers.ChoiceField(choices=ELIGIBLE)))


class ReleaseRulesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PUT": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        approval = serializers.ChoiceField(
            choices=Approval.values, help_text="Whom a release needs beside who asks for it."
        )
        alias_roles = serializers.DictField(
            child=serializers.ListField(child=serializers.CharField(max_length=20), max_length=5),
            help_text="The roles that may set an alias; others are set by engineers and admins.",
        )

    @extend_schema(
        operation_id="release_rules", responses=ReleaseRulesOutput, summary="Who approves releases, who sets aliases"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(ReleaseRulesOutput(release_rules_of(self.project)).data)

    @extend_schema(
        operation_id="release_rules_set",
        request=InputSerializer,
        responses=ReleaseRulesOutput,
        summary="Set who approves releases and who sets aliases",
    )
    def put(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        by = cast(User, request.user)
        rules = release_rules_set(project=self.project, by=by, at=timezone.now(), **given.validated_data)
        return Response(ReleaseRulesOutput(rules).data)


def _reason(request: Request) -> str:
    given = ReasonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["reason"])
