"""Addresses of the labeling desk."""

from django.urls import path

from apps.labeling.desk import views

app_name = "labeling"
urlpatterns = [
    path("", views.desk, name="desk"),
    path("next/", views.next_examples, name="next"),
    path("answer/", views.answer, name="answer"),
    path("edit/", views.edit, name="edit"),
    path("undo/", views.undo, name="undo"),
    path("past/", views.past, name="past"),
    path("renew/", views.renew, name="renew"),
    path("release/", views.release, name="release"),
]
