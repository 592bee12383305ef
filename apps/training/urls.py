"""Addresses of training."""

from django.urls import path

from apps.training.views import online, runs, schedules, sweeps

app_name = "training"
urlpatterns = [
    path("", runs.runs, name="runs"),
    path("trigger/", runs.trigger, name="trigger"),
    path("<int:run_id>/cancel/", runs.cancel, name="cancel"),
    path("<int:run_id>/curves/", runs.curves, name="curves"),
    path("<int:run_id>/log/", runs.log, name="log"),
    *schedules.urlpatterns,
    *sweeps.urlpatterns,
    *online.urlpatterns,
]
