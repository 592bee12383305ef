"""Addresses of training."""

from django.urls import path

from apps.training import views

app_name = "training"
urlpatterns = [
    path("", views.runs, name="runs"),
    path("trigger/", views.trigger, name="trigger"),
    path("<int:run_id>/cancel/", views.cancel, name="cancel"),
    path("<int:run_id>/curves/", views.curves, name="curves"),
    path("<int:run_id>/log/", views.log, name="log"),
]
