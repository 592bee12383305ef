"""Addresses of what follows from an alarm."""

from django.urls import path

from apps.loop.mending import views

app_name = "mending"
urlpatterns = [
    path("policy/", views.policy, name="policy"),
    path("policy/set/", views.policy_set, name="policy_set"),
    path("policy/yaml/", views.yaml_set, name="yaml_set"),
    path("<int:alert_id>/", views.alarm, name="alarm"),
    path("<int:alert_id>/roll-back/", views.roll_back, name="roll_back"),
    path("<int:alert_id>/label/", views.lane, name="lane"),
    path("<int:alert_id>/train/", views.retrain, name="retrain"),
]
