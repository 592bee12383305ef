"""Addresses of loop."""

from django.urls import path

from apps.loop import columns, upload, views

app_name = "loop"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("loop/day/", views.day, name="day"),
    path("loop/band/", views.band, name="band"),
    path("loop/clock/", views.clock, name="clock"),
    path("loop/activity/", views.activity, name="activity"),
    path("loop/running/", views.running, name="running"),
    path("loop/run/", views.run_start, name="run_start"),
    path("upload/", upload.upload, name="upload"),
    path("upload/<int:ingestion_id>/columns/", columns.columns_of_upload, name="columns_of_upload"),
    path("upload/<int:ingestion_id>/drop/", columns.upload_drop, name="upload_drop"),
    path("data/columns/", columns.columns, name="columns"),
    path("loop/drift/", views.drift_check, name="drift_check"),
]
