"""Addresses of releases."""

from django.urls import path

from apps.releases import comparing_views, ledger_views, lineage_views, views

app_name = "releases"
urlpatterns = [
    path("", views.models, name="models"),
    path("<int:version_id>/promote/", views.promote, name="promote"),
    path("roll-back/", views.roll_back, name="roll_back"),
    path("try/", views.try_champion, name="try"),
    path("runs/<int:run_id>/", views.run, name="run"),
    path("runs/<int:run_id>/head/", views.run_head, name="run_head"),
    path("runs/<int:run_id>/progress/", views.run_progress, name="run_progress"),
    path("runs/<int:run_id>/verdict/", views.run_verdict, name="run_verdict"),
    path("runs/<int:run_id>/figures/", views.run_figures, name="run_figures"),
    *ledger_views.urlpatterns,
    *lineage_views.urlpatterns,
    *comparing_views.urlpatterns,
]
