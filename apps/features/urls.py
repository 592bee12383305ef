"""Addresses of encoders."""

from django.urls import path

from apps.features import views

app_name = "features"
urlpatterns = [path("", views.encoders, name="encoders"), path("<str:name>/check/", views.check, name="check")]
