"""Where messages go, and each message with what became of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.rules.webhooks import WEBHOOK_FORMATS, WebhookFormat
from apps.work.leases import Leased


class Webhook(models.Model):
    """An address that is told some of what happens in a project.

    Off with a reason where the console switched it off itself. While `previous_until` has not passed, messages are signed by
    both secrets.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    format = models.CharField(max_length=40, default="standard")
    verbs = models.JSONField(default=list)  # of the audit trail, sorted
    secret = models.CharField(max_length=120)
    previous_secret = models.CharField(max_length=120, blank=True)
    previous_until = models.DateTimeField(null=True)
    console_url = models.CharField(max_length=200, blank=True)  # of who set it up, for links
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    off_since = models.DateTimeField(null=True)
    off_reason = models.CharField(max_length=300, blank=True)
    off_parts = models.JSONField(default=dict)  # of the reason; apps/rules/sentences.py

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="webhooks_named_once")]

    @property
    def reader(self) -> str:
        """Its name among the readers of the audit trail."""
        return f"webhook:{self.pk}"

    @property
    def shape(self) -> WebhookFormat:
        """Raises UnknownName where the package is gone that added it."""
        return WEBHOOK_FORMATS[self.format]

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waiting")
    DELIVERED = "delivered", gettext_lazy("Delivered")
    FAILED = "failed", gettext_lazy("Given up")
    DROPPED = "dropped", gettext_lazy("Not sent")


class WebhookDelivery(Leased):
    """One message to one address. The body is made once, so that every attempt sends the same."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40)  # the same for a message that is sent again by hand
    type = models.CharField(max_length=60)
    body = models.TextField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)  # none once it ended
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # of the newest answer
    took_ms = models.PositiveIntegerField(null=True)
    reply = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=300, blank=True)
    parts = models.JSONField(default=dict)  # of the error

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(state=DeliveryState.WAITING), name="webhooks_delivery_due"
            ),
            models.Index(fields=["created_at"], name="webhooks_delivery_old"),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.webhook}"
