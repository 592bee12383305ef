"""Ingestions in the site's admin, to look at."""

from django.contrib import admin

from apps.datasets.models import Ingestion
from apps.projects.admin import LookOnly


@admin.register(Ingestion)
class IngestionAdmin(LookOnly):
    list_display = ("id", "project", "source", "filename", "state", "rows_taken", "rows_refused", "received_at")
    list_filter = ("state", "source")
