"""Addresses of webhooks, beside the settings of the project."""

from django.urls import path

from apps.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("<int:webhook_id>/", views.webhook, name="webhook"),
    path("<int:webhook_id>/messages/", views.log, name="log"),
    path("<int:webhook_id>/remove/", views.remove, name="remove"),
    path("<int:webhook_id>/messages/<int:delivery_id>/repeat/", views.repeat, name="repeat"),
    path("<int:webhook_id>/<str:what>/", views.act, name="act"),
]
