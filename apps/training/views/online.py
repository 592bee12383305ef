"""Pages of online learning."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
