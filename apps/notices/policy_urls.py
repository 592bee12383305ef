"""Addresses of a project's policy of notices."""

from django.urls import path

from apps.notices import policy_views

app_name = "notice_policy"
urlpatterns = [
    path("", policy_views.policy, name="policy"),
    path("set/", policy_views.policy_set, name="policy_set"),
    path("yaml/", policy_views.yaml_set, name="yaml_set"),
]
