"""Members of a project over the API."""

from typing import ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.membership import member_remove, member_set
from apps.projects.roles import Permission, Role
from apps.projects.selectors import members_of


class MembersAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.MANAGE_MEMBERS, "POST": Permission.MANAGE_MEMBERS}

    class InputSerializer(serializers.Serializer):
        username = serializers.CharField()
        role = serializers.ChoiceField(choices=Role.choices)

    class OutputSerializer(serializers.Serializer):
        user_id = serializers.IntegerField()
        username = serializers.CharField(source="user.username")
        name = serializers.CharField(source="user")
        role = serializers.CharField()

    @extend_schema(
        operation_id="members_list", responses=OutputSerializer(many=True), summary="Members and their roles"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(members_of(self.project), self.OutputSerializer)

    @extend_schema(
        operation_id="members_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Give a role, or change it",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = member_set(
            project=self.project, **given.validated_data, by=cast(User, request.user), at=timezone.now()
        )
        return Response(self.OutputSerializer(member).data)


class MemberAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"DELETE": Permission.MANAGE_MEMBERS}

    @extend_schema(
        operation_id="members_remove",
        responses={204: OpenApiResponse(description="Removed")},
        summary="Remove a member",
    )
    def delete(self, request: Request, project_id: int, user_id: int) -> Response:
        member_remove(project=self.project, user_id=user_id, by=cast(User, request.user), at=timezone.now())
        return Response(status=204)
