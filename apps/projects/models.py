"""A project: what is labeled, with which labels, by whom, under which guidelines."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.projects.roles import Role


class Project(models.Model):
    """What every stage needs to know; how a stage runs is a row of that stage (`project.queue` in apps.labeling)."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    task_type = models.CharField(max_length=40)
    holdout_share = models.FloatField(default=0.05, validators=[MinValueValidator(0.01), MaxValueValidator(0.5)])
    holdout_salt = models.CharField(max_length=32)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SchemaLabel(models.Model):
    """One label of the schema. A label that has been given is never deleted, only retired."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=80)
    color = models.CharField(max_length=7)
    hotkey = models.CharField(max_length=1, blank=True)
    position = models.PositiveIntegerField()  # the class index of every model: it never changes
    place = models.PositiveIntegerField(default=0)  # where it stands among those that people choose from
    description = models.CharField(max_length=300, blank=True)  # what it means, shown on the desk
    former_names = models.JSONField(default=list, blank=True)  # as models and versions made before a rename know it
    retired_at = models.DateTimeField(null=True)  # no longer offered; what was answered with it stays readable

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="projects_label_name_once"),
            models.UniqueConstraint(
                fields=["project", "hotkey"], condition=~models.Q(hotkey=""), name="projects_label_hotkey_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GuidelineVersion(models.Model):
    """Guidelines in Markdown. Each edit is a new version; an annotation remembers the one it was given under."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="projects_guideline_number_once")]

    def __str__(self) -> str:
        return f"{self.project} guidelines {self.number}"


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)

    class Meta:
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="projects_member_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.project}"
