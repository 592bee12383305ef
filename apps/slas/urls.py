"""Addresses of service levels."""

from django.urls import path

from apps.slas import views

app_name = "slas"
urlpatterns = [
    path("", views.sla, name="sla"),
    path("levels/", views.levels, name="levels"),
    path("breaches/", views.breaches, name="breaches"),
    path("figures/", views.figures, name="figures"),
    path("laps.csv", views.export, name="export"),
    path("target/", views.target, name="target"),
]
