"""Webhooks with how they fare, and their messages."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext

from apps.errors import NotFound
from apps.projects.models import Project
from apps.webhooks.models import DeliveryState, Webhook, WebhookDelivery


@dataclass(frozen=True)
class WebhookLine:
    """One webhook in the list: when something was taken last, how much waits, how much was given up in 30 days."""

    webhook: Webhook
    delivered_at: datetime | None
    waiting: int
    failed: int


def webhook_lines(project: Project) -> list[WebhookLine]:
    found = webhooks_of(project).annotate(
        delivered_at=Max("deliveries__tried_at", filter=Q(deliveries__state=DeliveryState.DELIVERED)),
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING)),
        failed=Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED)),
    )
    return [WebhookLine(each, each.delivered_at, each.waiting, each.failed) for each in found]


def webhooks_of(project: Project) -> QuerySet[Webhook]:
    return Webhook.objects.filter(project=project).select_related("project")


def webhook_of(project: Project, webhook_id: int) -> Webhook:
    """Raises NotFound."""
    found = webhooks_of(project).filter(pk=webhook_id).first()
    if found is None:
        raise NotFound(gettext("There is no such webhook in this project."))
    return found


def deliveries_of(webhook: Webhook, state: str = "") -> QuerySet[WebhookDelivery]:
    """Newest first; of one state, or all."""
    found = WebhookDelivery.objects.filter(webhook=webhook).select_related("webhook")
    return found.filter(state=state) if state in DeliveryState.values else found


def delivery_of(webhook: Webhook, delivery_id: int) -> WebhookDelivery:
    """Raises NotFound."""
    found = deliveries_of(webhook).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound(gettext("There is no such message."))
    return found
