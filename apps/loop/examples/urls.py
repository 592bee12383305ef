"""Addresses of one example."""

from django.urls import path

from apps.loop.examples import views

app_name = "examples"
urlpatterns = [
    path("", views.page, name="page"),
    path("correct/", views.correct, name="correct"),
    path("take/", views.take, name="take"),
    path("again/", views.again, name="again"),
    path("flag/", views.flag, name="flag"),
    path("delete/", views.delete, name="delete"),
]
