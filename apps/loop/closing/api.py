"""Deletions of projects over the API: how far they are."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.datasets.erasing import MOST_REASON
from apps.loop.closing.selectors import deletion_of, deletions_of
from apps.projects.api_access import ListingAPI
from apps.projects.models import DeletionState


class DeletionInput(serializers.Serializer):
    """What `DELETE` of a project takes, as query parameters or as its body."""

    name = serializers.CharField(max_length=200, help_text="The name of the project, so that no slip deletes one.")
    reason = serializers.CharField(max_length=MOST_REASON, help_text="Kept in the console’s trail, so name nobody.")


class DeletionOutput(serializers.Serializer):
    project = serializers.IntegerField(source="number", help_text="The id that the project had.")
    name = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    state = serializers.ChoiceField(choices=DeletionState.choices)
    percent = serializers.IntegerField(help_text="Of its rows, how many are gone; 100 once everything is.")
    gone = serializers.DictField(
        source="counts", child=serializers.IntegerField(), help_text="Rows by table, and files."
    )
    waits_for = serializers.CharField(source="waits_in_words", help_text="Empty while it goes on.")
    mirrored_runs = serializers.IntegerField(source="mirrored", help_text="Runs that the tracking server keeps.")
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class DeletionsAPI(ListingAPI):
    @extend_schema(
        operation_id="deletions_list",
        responses=DeletionOutput(many=True),
        summary="Deletions of projects that you asked for, newest first",
    )
    def get(self, request: Request) -> Response:
        return self.page(deletions_of(cast(User, request.user)), DeletionOutput)


class DeletionAPI(ListingAPI):
    @extend_schema(operation_id="deletions_read", responses=DeletionOutput, summary="How far one deletion is")
    def get(self, request: Request, number: int) -> Response:
        return Response(DeletionOutput(deletion_of(cast(User, request.user), number)).data)


def deletion_asked(request: Request) -> dict[str, Any]:
    """Name and reason of a `DELETE`, whose body some clients cannot send. Raises ValidationError."""
    body = request.data if isinstance(request.data, dict) else {}
    given = DeletionInput(data={**request.query_params.dict(), **dict(body.items())})
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
