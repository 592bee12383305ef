"""What the model labels by itself, and the evidence that it may."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Example
from apps.projects.models import Project, SchemaLabel


class AutoLabeling(models.Model):
    """Whether the model may label what it is sure of. Off unless a manager says otherwise."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="auto_labeling", primary_key=True)
    enabled = models.BooleanField(default=False)
    target_precision = models.FloatField(default=0.99, validators=[MinValueValidator(0.8), MaxValueValidator(0.9999)])
    audit_share = models.FloatField(default=0.05, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    sentence = models.CharField(max_length=400, blank=True)  # what the last attempt found, in words
    parts = models.JSONField(default=dict)  # of these words; apps/rules/sentences.py
    set_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)  # when a worker was last sent to look
    checked_at = models.DateTimeField(null=True)  # when it last had looked

    def __str__(self) -> str:
        return f"auto-labeling of {self.project}"


class AutoBatchState(models.TextChoices):
    """active -> withdrawn, by the audit or by a person; a withdrawn batch stays withdrawn."""

    ACTIVE = "active", gettext_lazy("In force")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")


class AutoBatch(models.Model):
    """What one model labeled by itself at one moment, with the evidence that it was allowed to."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="auto_batches")
    number = models.PositiveIntegerField()
    run_number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=AutoBatchState.choices, default=AutoBatchState.ACTIVE)
    target_precision = models.FloatField()
    threshold = models.FloatField()  # least confidence that was labeled
    holdout_rows = models.PositiveIntegerField()  # holdout examples at or above the threshold: the evidence
    holdout_errors = models.PositiveIntegerField()
    precision_low = models.FloatField()  # 95 % lower bound from the holdout
    labels = models.PositiveIntegerField(default=0)
    audits = models.PositiveIntegerField(default=0)  # wanted
    audited = models.PositiveIntegerField(default=0)
    audit_errors = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="labeling_auto_batch_once")]

    def __str__(self) -> str:
        return f"auto-labels {self.number}"


class AutoLabel(models.Model):
    """A label that a model gave by itself. Apart from Label, so that nothing trains on it or is judged by it."""

    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="auto_label", primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="auto_labels")
    batch = models.ForeignKey(AutoBatch, on_delete=models.CASCADE, related_name="given")
    label = models.ForeignKey(SchemaLabel, on_delete=models.PROTECT, related_name="+")
    confidence = models.FloatField()
    audit = models.BooleanField(default=False)  # drawn for a person to answer too
    right = models.BooleanField(null=True)  # what the audit found

    class Meta:
        indexes = [models.Index(fields=["batch", "audit"], name="labeling_auto_label_audit")]

    def __str__(self) -> str:
        return f"{self.example} is {self.label}, says the model"
