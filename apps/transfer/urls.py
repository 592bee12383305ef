"""Addresses of the export."""

from django.urls import path

from apps.transfer import views

app_name = "transfer"
urlpatterns = [path("", views.export, name="export"), path("file/", views.file, name="file")]
