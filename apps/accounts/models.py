"""People. What a person may do stands in their memberships (apps.projects), not here."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    display_name = models.CharField(max_length=80, blank=True)
    may_create_projects = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.display_name or self.username
