"""The audit trail: append-only, each entry bound to the one before it in its scope by a hash."""

from django.conf import settings
from django.db import models


class Event(models.Model):
    """Who did what to what, before and after. `scope` is `project:<id>` or `site`; one chain a scope."""

    scope = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)  # as shown then
    actor_username = models.CharField(
        max_length=150, default="", blank=True
    )  # as signed in with; empty: the console itself
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    sentence = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)  # of the sentence, for other languages; apps/rules/sentences.py
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    hash_version = models.PositiveSmallIntegerField(default=1)  # which facts are in the hash; see services.FINGERPRINTS

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["scope", "sequence"], name="audit_event_once_per_sequence")]

    def __str__(self) -> str:
        return f"{self.scope} {self.sequence}: {self.sentence}"


class ChainHead(models.Model):
    """The newest entry of a scope, kept apart from the entries: a trail whose end is cut off does not reach it any more.

    `seal` is keyed, so that nobody without the key can set it back to an earlier entry.
    """

    scope = models.CharField(max_length=40, unique=True)
    sequence = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.scope} ends with {self.sequence}"


class Cursor(models.Model):
    """How far a reader outside the console (a webhook, a topic, a lineage server) has read one scope."""

    reader = models.CharField(max_length=60)
    scope = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "scope"], name="audit_cursor_once")]

    def __str__(self) -> str:
        return f"{self.reader} has {self.scope} up to {self.sequence}"
