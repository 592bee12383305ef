"""Reports: candidate and champion on the same holdout, and the verdict of the gates."""

from django.db import models

from apps.training.models import Run


class Outcome(models.TextChoices):
    PASS = "pass", "Pass"
    FAIL = "fail", "Fail"
    INCONCLUSIVE = "inconclusive", "Inconclusive"


class Report(models.Model):
    """Metrics are `{name: {"value", "low", "high"}}` with 95 % bootstrap intervals; differences are paired."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="report")
    baseline_run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    examples = models.PositiveIntegerField()
    label_names = models.JSONField()
    metrics = models.JSONField()
    baseline_metrics = models.JSONField(null=True)
    differences = models.JSONField(null=True)
    confusion = models.JSONField()  # rows are the truth, columns what the candidate said
    per_class = models.JSONField(default=list)  # [{"label", "support", "recall", "precision"}]
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    gates = models.JSONField()  # [{"name", "title", "outcome", "reason"}]
    predictions_url = models.CharField(max_length=400, blank=True)  # Parquet: example_id, truth, predicted, confidence

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"report of {self.run}: {self.outcome}"
