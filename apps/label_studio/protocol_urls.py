"""Addresses that a Label Studio appends to the secret one."""

from django.urls import path

from apps.label_studio import protocol

app_name = "studio_backend"
urlpatterns = [
    path("<str:secret>/health", protocol.health, name="health"),
    path("<str:secret>/setup", protocol.setup, name="setup"),
    path("<str:secret>/predict", protocol.predict, name="predict"),
    path("<str:secret>/webhook", protocol.webhook, name="webhook"),
    path("<str:secret>/versions", protocol.versions, name="versions"),
]
