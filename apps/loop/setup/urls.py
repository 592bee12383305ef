"""Address of the page that makes a project."""

from django.urls import path

from apps.loop.setup import views

app_name = "setup"
urlpatterns = [path("new/", views.project_new, name="new")]
