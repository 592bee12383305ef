"""Sweeps: which recipes to try, each trial as a row that any worker may take, and what they taught."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import DatasetVersion
from apps.projects.models import Project
from apps.training.models.runs import Run
from apps.work.leases import Attempted


class SweepState(models.TextChoices):
    RUNNING = "running", gettext_lazy("Trying")
    COMPLETED = "completed", gettext_lazy("Completed")
    FAILED = "failed", gettext_lazy("Failed")
    CANCELED = "canceled", gettext_lazy("Canceled")


class Sweep(models.Model):
    """One Optuna study. `space` is {setting: {"low", "high", "log", "step"} or {"choices"}}; the value is lower-is-better."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sweeps")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=SweepState.choices, default=SweepState.RUNNING)
    study_name = models.CharField(max_length=80)
    dataset_version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="+")
    space = models.JSONField()
    trials_wanted = models.PositiveSmallIntegerField()
    seed = models.PositiveBigIntegerField(default=0)
    importance = models.JSONField(default=dict)  # setting to share, by fANOVA; empty while it cannot be told
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True)
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="sweep")  # trains the best trial

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="training_sweep_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state="running"), name="training_one_open_sweep"
            ),
        ]

    def __str__(self) -> str:
        return f"sweep {self.number}"


class TrialState(models.TextChoices):
    QUEUED = "queued", gettext_lazy("Waiting")
    RUNNING = "running", gettext_lazy("Training")
    COMPLETED = "completed", gettext_lazy("Completed")
    PRUNED = "pruned", gettext_lazy("Pruned")
    FAILED = "failed", gettext_lazy("Failed")
    CANCELED = "canceled", gettext_lazy("Canceled")


class Trial(Attempted):
    """One recipe tried. Leased like a run: a dead worker's trial is tried again from the start."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=TrialState.choices, default=TrialState.QUEUED)
    settings = models.JSONField(default=dict)  # what the study suggested
    value = models.FloatField(null=True)  # best validation loss, nats
    accuracy = models.FloatField(null=True)  # on the same validation rows
    curve = models.JSONField(default=list)  # [[epoch, validation loss]]
    seconds = models.FloatField(default=0)
    device = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["sweep", "number"], name="training_trial_once")]

    def __str__(self) -> str:
        return f"trial {self.number} of {self.sweep}"
