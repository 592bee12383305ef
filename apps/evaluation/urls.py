"""Addresses of the learning page."""

from django.urls import path

from apps.evaluation import freshness_views, views

app_name = "evaluation"
urlpatterns = [
    path("", views.learning, name="learning"),
    path("figures/", views.figures, name="figures"),
    path("summary/", views.summary, name="summary"),
    path("order/", views.order, name="order"),
    path("auto/", views.auto, name="auto"),
    path("auto/set/", views.auto_labeling, name="auto_labeling"),
    path("auto/<int:number>/withdraw/", views.auto_withdraw, name="auto_withdraw"),
    path("rate/", views.rate, name="rate"),
    *freshness_views.urlpatterns,
]
