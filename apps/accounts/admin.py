"""Accounts in the site's admin: who exists, who may create projects."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from apps.accounts.models import User


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("username", "display_name", "may_create_projects", "is_active", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("FastLoop", {"fields": ("display_name", "may_create_projects")}))
    add_fieldsets = (*UserAdmin.add_fieldsets, ("FastLoop", {"fields": ("display_name", "may_create_projects")}))
