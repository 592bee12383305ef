"""Addresses of releases."""

from django.urls import path

from apps.releases import views

app_name = "releases"
urlpatterns = [
    path("", views.models, name="models"),
    path("<int:version_id>/", views.model, name="model"),
    path("<int:version_id>/download/", views.download, name="download"),
    path("<int:version_id>/promote/", views.promote, name="promote"),
    path("roll-back/", views.roll_back, name="roll_back"),
    path("try/", views.try_champion, name="try"),
]
