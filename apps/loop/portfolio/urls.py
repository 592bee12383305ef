"""Address of the portfolio."""

from django.urls import path

from apps.loop.portfolio import views

app_name = "portfolio"
urlpatterns = [path("", views.projects, name="projects")]
