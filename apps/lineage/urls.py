"""Addresses of lineage, below those of the models."""

from apps.lineage import clone_views, comparing_views, ledger_views, lineage_views, run_views

app_name = "lineage"
urlpatterns = [
    *run_views.urlpatterns,
    *clone_views.urlpatterns,
    *ledger_views.urlpatterns,
    *lineage_views.urlpatterns,
    *comparing_views.urlpatterns,
]
