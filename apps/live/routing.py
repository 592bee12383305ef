"""Websocket addresses."""

from django.urls import path

from apps.live.consumers import TopicConsumer

websocket_urlpatterns = [path("ws/<slug:kind>/<int:subject_id>/", TopicConsumer.as_asgi())]
