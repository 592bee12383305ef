"""The secret address under which a Label Studio asks a project's champion."""

from django.conf import settings
from django.db import models

from apps.projects.models import Project


class StudioBackend(models.Model):
    """One address a project. Only its digest is kept: whoever has it may ask the champion.

    `seen_at` is when a Label Studio last asked, `studio` its project there as it names itself, `config` the labeling configuration
    that it came with, `fault` why that does not fit.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="studio_backend", primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    studio = models.CharField(max_length=200, blank=True)
    config = models.TextField(blank=True)
    fault = models.CharField(max_length=400, blank=True)
    parts = models.JSONField(default=dict)  # of the fault

    def __str__(self) -> str:
        return f"Label Studio's address of {self.project}"
