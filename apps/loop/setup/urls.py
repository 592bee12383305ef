"""Addresses of the pages that make a project, change its labels and its name."""

from django.urls import path

from apps.loop.setup import label_views, views

app_name = "setup"
urlpatterns = [
    path("new/", views.project_new, name="new"),
    path("<int:project_id>/settings/labels/<int:label_id>/", label_views.label, name="label"),
    path("<int:project_id>/settings/name/", label_views.rename, name="rename"),
]
