"""Addresses of loop."""

from django.urls import URLPattern

app_name = "loop"
urlpatterns: list[URLPattern] = []
