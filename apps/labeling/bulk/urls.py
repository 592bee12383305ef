"""Addresses of labeling in bulk and of the search."""

from django.urls import path

from apps.labeling.bulk import views

app_name = "bulk"
urlpatterns = [
    path("bulk/", views.bulk, name="bulk"),
    path("bulk/label/", views.label, name="label"),
    path("bulk/undo/", views.undo, name="undo"),
    path("search/", views.search, name="search"),
    path("search/<int:example_id>/take/", views.take, name="take"),
    path("search/<int:example_id>/flag/", views.flag, name="flag"),
]
