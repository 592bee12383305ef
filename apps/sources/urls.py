"""Addresses of sources, beside the settings of the project."""

from django.urls import path

from apps.sources import views

app_name = "sources"
urlpatterns = [
    path("", views.sources, name="sources"),
    path("list/", views.listed, name="listed"),
    path("<int:source_id>/", views.source, name="source"),
    path("<int:source_id>/state/", views.state, name="state"),
    path("<int:source_id>/figures/", views.figures, name="figures"),
    path("<int:source_id>/<str:what>/", views.act, name="act"),
]
