"""Addresses of the quality pages."""

from django.urls import path

from apps.quality import gold_views, views

app_name = "quality"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("summary/", views.summary, name="summary"),
    path("figures/", views.figures, name="figures"),
    path("compare/", views.compare, name="compare"),
    path("people/", views.people, name="people"),
    path("people/figures/", views.people_figures, name="people_figures"),
    path("people/export/", views.export, name="export"),
    path("people/<int:user_id>/", views.person, name="person"),
    path("people/<int:user_id>/figures/", views.person_figures, name="person_figures"),
    path("people/<int:user_id>/lift/", views.lift, name="lift"),
    path("mine/", views.mine, name="mine"),
    path("mine/figures/", views.mine_figures, name="mine_figures"),
    path("reviews/", gold_views.reviews, name="reviews"),
    path("doubts/", gold_views.doubts, name="doubts"),
    path("gold/", gold_views.gold, name="gold"),
    path("gold/add/", gold_views.gold_add, name="gold_add"),
    path("gold/paste/", gold_views.gold_paste, name="gold_paste"),
    path("gold/<int:example_id>/remove/", gold_views.gold_remove, name="gold_remove"),
]
