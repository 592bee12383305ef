"""Addresses of reports, below those of runs."""

from django.urls import path

from apps.evaluation.reporting import views

app_name = "reports"
urlpatterns = [
    path("", views.report, name="report"),
    path("figures/", views.figures, name="figures"),
    path("model-card/", views.card, name="card"),
    path("override/", views.override, name="override"),
]
