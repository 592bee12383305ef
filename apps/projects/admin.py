"""Projects in the site's admin: to look at. Changes go through the pages, which write the audit trail."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.projects.models import Membership, Project


class LookOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(LookOnly):
    list_display = ("name", "task_type", "created_at")


@admin.register(Membership)
class MembershipAdmin(LookOnly):
    list_display = ("project", "user", "role")
    list_filter = ("role",)
