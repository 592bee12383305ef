"""Addresses of monitoring."""

from django.urls import path

from apps.monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("", views.monitor, name="monitor"),
    path("numbers/", views.numbers, name="numbers"),
    path("figures/", views.figures, name="figures"),
    path("slices/", views.slices, name="slices"),
    path("drift/", views.drift, name="drift"),
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/<int:alert_id>/resolve/", views.resolve, name="resolve"),
]
