"""Addresses of webhooks, beside the settings of the project."""

from django.urls import path, re_path

from apps.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("<int:webhook_id>/", views.webhook, name="webhook"),
    path("<int:webhook_id>/messages/", views.log, name="log"),
    path("<int:webhook_id>/remove/", views.remove, name="remove"),
    path("<int:webhook_id>/messages/<int:delivery_id>/repeat/", views.repeat, name="repeat"),
    re_path(r"^(?P<webhook_id>[0-9]+)/(?P<what>test|rotate|on|off)/$", views.act, name="act"),
]
