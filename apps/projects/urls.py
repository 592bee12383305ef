"""Addresses of projects."""

from django.urls import path

from apps.projects import views

app_name = "projects"
urlpatterns = [
    path("<int:project_id>/settings/", views.project_settings, name="settings"),
    path("<int:project_id>/settings/labels/", views.labels_add, name="labels_add"),
    path("<int:project_id>/settings/guidelines/", views.guidelines_write, name="guidelines_write"),
    path("<int:project_id>/settings/guidelines/preview/", views.guidelines_preview, name="guidelines_preview"),
    path("<int:project_id>/settings/labels/retire/", views.label_retire, name="label_retire"),
    path("<int:project_id>/members/", views.members, name="members"),
    path("<int:project_id>/members/<int:user_id>/remove/", views.member_remove, name="member_remove"),
    path("<int:project_id>/audit/", views.audit, name="audit"),
    path("<int:project_id>/audit/chain/", views.audit_chain, name="audit_chain"),
]
