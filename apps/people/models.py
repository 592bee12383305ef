"""What lets people in and keeps others out: wrong passwords counted, one-time links, what an API token may do."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from knox.models import AuthToken

from apps.projects.models import Project
from apps.projects.roles import Role


class SignInStreak(models.Model):
    """Wrong passwords in a row for one name, one address, or one name from one address."""

    key = models.CharField(max_length=220, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"


class LinkKind(models.TextChoices):
    INVITATION = "invitation", gettext_lazy("Invitation")
    RESET = "reset", gettext_lazy("New password")


class OneTimeLink(models.Model):
    """An address that lets one person in once. Only its digest is kept."""

    kind = models.CharField(max_length=12, choices=LinkKind.choices)
    digest = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="links"
    )  # whose password; of an invitation: who came by it
    username = models.CharField(max_length=150, blank=True)  # proposed to the invited
    display_name = models.CharField(max_length=80, blank=True)
    may_create_projects = models.BooleanField(default=False)
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    role = models.CharField(max_length=12, choices=Role.choices, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, until {self.ends_at:%Y-%m-%d}"


class Scope(models.TextChoices):
    """What a token may do of what its owner may."""

    READ = "read", gettext_lazy("Read")
    PREDICT = "predict", gettext_lazy("Ask models")
    FEEDBACK = "feedback", gettext_lazy("Send feedback")
    WRITE = "write", gettext_lazy("Everything I may do")


class TokenGrant(models.Model):
    """What stands beside an API token. Tokens of earlier releases have none: no name, everything, no last use."""

    token = models.OneToOneField(AuthToken, primary_key=True, on_delete=models.CASCADE, related_name="grant")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    last_used_at = models.DateTimeField(null=True)  # to a minute

    def __str__(self) -> str:
        return f"{self.name}, {self.scope}"
