"""A project: what is labeled, with which labels, by whom, under which guidelines."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.roles import Role
from apps.work.leases import Attempted


class Project(models.Model):
    """What every stage needs to know; how a stage runs is a row of that stage (`project.queue` in apps.labeling)."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    task_type = models.CharField(max_length=40)
    holdout_share = models.FloatField(default=0.05, validators=[MinValueValidator(0.01), MaxValueValidator(0.5)])
    holdout_salt = models.CharField(max_length=32)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)  # since then it is read only, and nothing of it starts by itself
    deleting_since = models.DateTimeField(null=True)  # nobody may open it any more; see ProjectDeletion

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DeletionState(models.TextChoices):
    DELETING = "deleting", gettext_lazy("Being deleted")
    COMPLETED = "completed", gettext_lazy("Deleted")


WAITS = {
    "run": gettext_lazy("It waits until a run has stopped."),
    "sweep": gettext_lazy("It waits until a sweep has stopped."),
    "online": gettext_lazy("It waits until the online learner has stopped."),
    "upload": gettext_lazy("It waits until a file has been read."),
    "late": gettext_lazy("Something came in meanwhile; it goes on in a moment."),
}


class ProjectDeletion(Attempted):
    """A project that goes for good, and how far that is. It outlives the project, which it names by number only."""

    number = models.BigIntegerField(unique=True)  # the id that the project had
    name = models.CharField(max_length=80)
    slug = models.SlugField(
        max_length=80, blank=True
    )  # never given again: who still asks by it must meet no other model
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeletionState.choices, default=DeletionState.DELETING)
    rows = models.PositiveBigIntegerField(default=0)  # in all, as counted when it began
    counts = models.JSONField(default=dict)  # what went so far: rows by table, and "files"
    mirrored = models.PositiveIntegerField(default=0)  # runs of it that a tracking server has, and keeps
    waits_for = models.CharField(
        max_length=200, blank=True
    )  # one of WAITS, or what could not be done and is tried again
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"deletion of {self.name}"

    @property
    def waits_in_words(self) -> str:
        return str(WAITS.get(self.waits_for, self.waits_for))

    @property
    def rows_gone(self) -> int:
        return sum(n for table, n in self.counts.items() if table != "files")

    @property
    def percent(self) -> int:
        if self.state == DeletionState.COMPLETED:
            return 100
        return min(99, round(100 * self.rows_gone / self.rows)) if self.rows else 0


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
