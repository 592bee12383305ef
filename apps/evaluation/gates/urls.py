"""Addresses of the gates, below those of the models."""

from django.urls import path

from apps.evaluation.gates import views

app_name = "gates"
urlpatterns = [
    path("", views.policy, name="policy"),
    path("set/", views.policy_set, name="policy_set"),
    path("sensitive/", views.sensitive_set, name="sensitive_set"),
    path("yaml/", views.yaml_set, name="yaml_set"),
]
