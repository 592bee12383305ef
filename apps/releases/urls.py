"""Addresses of releases."""

from django.urls import path

from apps.releases import views
from apps.releases.registry import views as registry
from apps.releases.rollouts import views as rollouts

app_name = "releases"
urlpatterns = [
    path("", views.models, name="models"),
    path("<int:version_id>/", views.model, name="model"),
    path("<int:version_id>/download/", views.download, name="download"),
    path("<int:version_id>/promote/", views.promote, name="promote"),
    path("roll-back/", views.roll_back, name="roll_back"),
    path("aliases/set/", registry.alias_set, name="alias_set"),
    path("aliases/remove/", registry.alias_remove, name="alias_remove"),
    path("requests/<int:request_id>/approve/", registry.approve, name="request_approve"),
    path("requests/<int:request_id>/decline/", registry.decline, name="request_decline"),
    path("rules/", registry.rules_set, name="rules_set"),
    path("policy/", rollouts.policy, name="policy"),
    path("policy/set/", rollouts.policy_set, name="policy_set"),
    path("policy/yaml/", rollouts.policy_yaml_set, name="policy_yaml_set"),
    path("rollouts/<int:rollout_id>/", rollouts.rollout, name="rollout"),
    path("rollouts/<int:rollout_id>/figures/", rollouts.figures, name="rollout_figures"),
    path("rollouts/<int:rollout_id>/pause/", rollouts.pause, name="rollout_pause"),
    path("rollouts/<int:rollout_id>/resume/", rollouts.resume, name="rollout_resume"),
    path("rollouts/<int:rollout_id>/promote/", rollouts.promote, name="rollout_promote"),
    path("rollouts/<int:rollout_id>/abort/", rollouts.abort, name="rollout_abort"),
    path("try/", views.try_champion, name="try"),
]
