"""One edit of a policy as a row; each policy has a table of its own."""

from django.conf import settings
from django.db import models


class PolicyVersion(models.Model):
    """Each edit is a new row; the newest counts. A table adds `project`, and that a number stands once in a project."""

    number = models.PositiveIntegerField()
    policy = models.JSONField()  # as it was written
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["-number"]
