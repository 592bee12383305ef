"""Webhooks over the API: set them up, read their messages, send one again, and what each event looks like."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.audit.verbs import IN_PROJECTS
from apps.integrations.outbound import MOST_ADDRESS
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.webhooks import selectors, services
from apps.webhooks.models import DeliveryState
from apps.webhooks.schemas import schema_of
from apps.webhooks.services import MOST_NAME

SET = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), Permission.SET_WEBHOOKS)


class WebhookInput(serializers.Serializer):
    name = serializers.CharField(max_length=MOST_NAME)
    url = serializers.CharField(max_length=MOST_ADDRESS, help_text="https, in the public net; see docs/webhooks.md.")
    verbs = serializers.ListField(child=serializers.CharField(max_length=60), help_text="Types of events, as listed.")
    format = serializers.CharField(
        max_length=40, default="standard", help_text="standard, cloudevents, slack or teams."
    )


class WebhookChangeInput(serializers.Serializer):
    name = serializers.CharField(max_length=MOST_NAME, required=False)
    url = serializers.CharField(max_length=MOST_ADDRESS, required=False)
    verbs = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
    format = serializers.CharField(max_length=40, required=False)
    on = serializers.BooleanField(required=False, help_text="What happens while it is off is never told.")


class WebhookOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    verbs = serializers.ListField(child=serializers.CharField())
    format = serializers.CharField()
    secret = serializers.CharField(help_text="What messages are signed with.")
    created_at = serializers.DateTimeField()
    off_since = serializers.DateTimeField(allow_null=True)
    off_reason = serializers.CharField(help_text="Where the console switched it off itself.")


class WebhookDeliveryOutput(serializers.Serializer):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The header `webhook-id`, the same at every attempt.")
    type = serializers.CharField()
    body = serializers.CharField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=DeliveryState.values)
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    tried_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="Of the newest answer; null where none came.")
    took_ms = serializers.IntegerField(allow_null=True)
    reply = serializers.CharField(help_text="The beginning of the newest answer.")
    error = serializers.CharField()


class EventTypeOutput(serializers.Serializer):
    type = serializers.CharField()
    schema = serializers.DictField(help_text="JSON Schema of its body in the format “standard”.")


class WebhooksAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(operation_id="webhooks_list", responses=WebhookOutput(many=True), summary="Webhooks of the project")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(selectors.webhooks_of(self.project), WebhookOutput)

    @extend_schema(
        operation_id="webhooks_add",
        request=WebhookInput,
        responses={201: WebhookOutput},
        summary="Have another system told what happens from now on",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = WebhookInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.webhook_add(
            project=self.project,
            by=cast(User, request.user),
            at=timezone.now(),
            console_url=request.build_absolute_uri("/"),
            **given.validated_data,
        )
        return Response(WebhookOutput(made).data, status=201)


class WebhookAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(operation_id="webhooks_read", responses=WebhookOutput, summary="One webhook")
    def get(self, request: Request, project_id: int, webhook_id: int) -> Response:
        return Response(WebhookOutput(selectors.webhook_of(self.project, webhook_id)).data)

    @extend_schema(
        operation_id="webhooks_change",
        request=WebhookChangeInput,
        responses=WebhookOutput,
        summary="Change what you name; switch it on or off",
    )
    def patch(self, request: Request, project_id: int, webhook_id: int) -> Response:
        given = WebhookChangeInput(data=request.data)
        given.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(given.validated_data)
        found, by, at = selectors.webhook_of(self.project, webhook_id), cast(User, request.user), timezone.now()
        on = said.pop("on", None)
        if said:
            services.webhook_change(webhook=found, by=by, at=at, **said)
        if on is not None:
            services.webhook_switch(webhook=found, on=on, by=by, at=at)
        return Response(WebhookOutput(selectors.webhook_of(self.project, webhook_id)).data)

    @extend_schema(operation_id="webhooks_remove", responses={204: None}, summary="Remove it, with its messages")
    def delete(self, request: Request, project_id: int, webhook_id: int) -> Response:
        found = selectors.webhook_of(self.project, webhook_id)
        services.webhook_remove(webhook=found, by=cast(User, request.user), at=timezone.now())
        return Response(status=204)


class WebhookRotateAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(
        operation_id="webhooks_rotate",
        request=None,
        responses=WebhookOutput,
        summary="A new secret; for 24 h messages are signed by the one before too",
    )
    def post(self, request: Request, project_id: int, webhook_id: int) -> Response:
        found = selectors.webhook_of(self.project, webhook_id)
        made = services.webhook_rotate(webhook=found, by=cast(User, request.user), at=timezone.now())
        return Response(WebhookOutput(made).data)


class WebhookTestAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(
        operation_id="webhooks_test",
        request=None,
        responses={202: WebhookDeliveryOutput},
        summary="Send a message of the type webhook.test",
    )
    def post(self, request: Request, project_id: int, webhook_id: int) -> Response:
        found = selectors.webhook_of(self.project, webhook_id)
        made = services.webhook_test(webhook=found, by=cast(User, request.user), at=timezone.now())
        return Response(WebhookDeliveryOutput(made).data, status=202)


class WebhookDeliveriesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(
        operation_id="webhook_deliveries_list",
        responses=WebhookDeliveryOutput(many=True),
        summary="Its messages of 30 days, newest first",
        parameters=[OpenApiParameter("state", OpenApiTypes.STR, enum=list(DeliveryState.values))],
    )
    def get(self, request: Request, project_id: int, webhook_id: int) -> Response:
        found = selectors.webhook_of(self.project, webhook_id)
        rows = selectors.deliveries_of(found, request.query_params.get("state", ""))
        return self.page(rows, WebhookDeliveryOutput)


class WebhookRepeatAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    @extend_schema(
        operation_id="webhook_deliveries_repeat",
        request=None,
        responses={202: WebhookDeliveryOutput},
        summary="Send the same message once more, under the same id",
    )
    def post(self, request: Request, project_id: int, webhook_id: int, delivery_id: int) -> Response:
        found = selectors.delivery_of(selectors.webhook_of(self.project, webhook_id), delivery_id)
        made = services.delivery_repeat(delivery=found, at=timezone.now())
        return Response(WebhookDeliveryOutput(made).data, status=202)


class EventTypesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.SET_WEBHOOKS}

    @extend_schema(
        operation_id="event_types_list",
        responses=EventTypeOutput(many=True),
        summary="What webhooks can be told, each with the schema of its body",
    )
    def get(self, request: Request, project_id: int) -> Response:
        listed = [{"type": str(verb), "schema": schema_of(verb)} for verb in sorted(IN_PROJECTS)]
        return self.page(listed, EventTypeOutput)
