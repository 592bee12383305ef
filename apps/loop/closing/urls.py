"""Addresses of the pages that archive and delete projects."""

from django.urls import path

from apps.loop.closing import views

app_name = "closing"
urlpatterns = [
    path("deletions/", views.deletions, name="deletions"),
    path("<int:project_id>/settings/archive/", views.archive, name="archive"),
    path("<int:project_id>/settings/archive/now/", views.archive_now, name="archive_now"),
    path("<int:project_id>/settings/unarchive/", views.unarchive, name="unarchive"),
    path("<int:project_id>/settings/delete/", views.delete, name="delete"),
]
