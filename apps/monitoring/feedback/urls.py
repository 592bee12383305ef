"""Addresses of feedback."""

from django.urls import path

from apps.monitoring.feedback import views

app_name = "feedback"
urlpatterns = [
    path("", views.feedback, name="feedback"),
    path("figures/", views.figures, name="figures"),
    path("settings/", views.settings_set, name="settings_set"),
]
