"""Addresses of notices, over all projects of a person."""

from django.urls import path

from apps.notices import choice_views, views

app_name = "notices"
urlpatterns = [
    path("", views.notices, name="notices"),
    path("bell/", views.bell, name="bell"),
    path("toasts/", views.toasts, name="toasts"),
    path("read/", views.read_all, name="read_all"),
    path("choices/", choice_views.choices, name="choices"),
    path("choices/test/", choice_views.trial, name="trial"),
    path("choices/test/state/", choice_views.trial_state, name="trial_state"),
    path("of-alarm/<int:project_id>/<int:alert_id>/", views.of_alarm, name="of_alarm"),
    path("<int:notice_id>/", views.notice, name="notice"),
    path("<int:notice_id>/snooze/", views.snooze, name="snooze"),
    path("<int:notice_id>/assign/", views.assign, name="assign"),
    path("<int:notice_id>/comment/", views.comment, name="comment"),
    path("<int:notice_id>/resolve/", views.resolve, name="resolve"),
]
