"""When a project trains by the clock, how many of its runs at once, and when an incremental run must be a full one."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django_celery_beat.models import PeriodicTask

from apps.projects.models import Project
from apps.training.models.runs import RunKind


class Policy(models.Model):
    """What keeps the incremental line honest. A rule that is off is None or False."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="training_policy", primary_key=True)
    runs_at_once = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(32)])
    full_after_increments = models.PositiveSmallIntegerField(
        null=True, default=20, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    full_on_gap = models.BooleanField(default=True)  # the interval of the freshness gap excludes 0
    full_on_schema_change = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"training policy of {self.project}"


class Schedule(models.Model):
    """A kind of run by the clock. Its times and its last firing are a row of django-celery-beat."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="schedules")
    kind = models.CharField(max_length=12, choices=RunKind.choices)
    task = models.OneToOneField(PeriodicTask, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["project", "kind"], name="training_schedule_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.project}"
