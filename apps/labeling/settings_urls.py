"""Addresses of the queue's settings, beside those of the project."""

from django.urls import path

from apps.labeling import settings_views

app_name = "queue"
urlpatterns = [
    path("", settings_views.queue, name="settings"),
    path("set/", settings_views.queue_set, name="set"),
    path("settling/", settings_views.settling, name="settling"),
]
