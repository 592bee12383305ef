"""Addresses of monitors."""

from django.urls import path

from apps.monitoring.monitors import views

app_name = "monitors"
urlpatterns = [
    path("", views.monitors, name="monitors"),
    path("figures/", views.figures, name="figures"),
    path("request/", views.logged_request, name="request"),
    path("weigh/", views.weigh, name="weigh"),
    path("policy/", views.policy, name="policy"),
    path("policy/set/", views.policy_set, name="policy_set"),
    path("policy/yaml/", views.yaml_set, name="yaml_set"),
    path("readings/<int:reading_id>/", views.reading, name="reading"),
    path("readings/<int:reading_id>/figures/", views.reading_figures, name="reading_figures"),
]
