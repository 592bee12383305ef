"""Addresses of the page of people."""

from django.urls import path

from apps.people import people_views as views

app_name = "people"
urlpatterns = [
    path("", views.people, name="people"),
    path("trail/", views.trail, name="trail"),
    path("links/<int:link_id>/withdraw/", views.link_withdraw, name="link_withdraw"),
    path("<int:person_id>/", views.person, name="person"),
    path("<int:person_id>/reset/", views.reset, name="reset"),
    path("<int:person_id>/active/", views.active_set, name="active_set"),
    path("<int:person_id>/end-access/", views.access_end, name="access_end"),
    path("<int:person_id>/rights/", views.rights_set, name="rights_set"),
    path("<int:person_id>/tokens/<slug:key>/revoke/", views.token_end, name="token_end"),
]
