"""People. What a person may do stands in their memberships (apps.projects), not here."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """`name_shared`: another person's name looks the same, so this one is always shown with the user name."""

    display_name = models.CharField(max_length=80, blank=True)
    name_shared = models.BooleanField(default=False, editable=False)
    may_create_projects = models.BooleanField(default=False)
    sessions_ended = models.PositiveIntegerField(
        default=0, editable=False
    )  # how often; part of what a session must match
    time_zone = models.CharField(max_length=63, blank=True, default="", editable=False)  # empty: as the browser says
    last_seen_at = models.DateTimeField(null=True, editable=False)  # to five minutes

    def __str__(self) -> str:
        return self.signed if self.name_shared else self.display_name or self.username

    @property
    def signed(self) -> str:
        """As the record names a person: the display name is free, the user name is given once.

        >>> User(username="mona", display_name="Alma").signed, User(username="ada", display_name="Ada").signed
        ('Alma (mona)', 'Ada')
        """
        shown = self.display_name or self.username
        return shown if shown.casefold() == self.username.casefold() else f"{shown} ({self.username})"

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """A session holds for as long as the password and `sessions_ended` stay; 0 leaves older sessions as they are."""
        own: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{own}.{self.sessions_ended}" if self.sessions_ended else own
