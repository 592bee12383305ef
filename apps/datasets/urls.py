"""Addresses of datasets. The upload stands in apps.loop: reading a file touches more than this stage."""

from django.urls import path

from apps.datasets import erased_views, version_views, views

app_name = "datasets"
urlpatterns = [
    path("", views.data, name="data"),
    path("views/", views.view_save, name="view_save"),
    path("views/<int:view_id>/remove/", views.view_remove, name="view_remove"),
    path("counts/", views.counts, name="counts"),
    path("ingestions/", views.ingestions, name="ingestions"),
    path("refused/", views.dead_letters, name="dead_letters"),
    path("<int:example_id>/image/", views.image, name="image"),
    *version_views.urlpatterns,
    *erased_views.urlpatterns,
]
