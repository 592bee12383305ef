"""Reports: candidate and champion on the same holdout, and the verdict of the gates."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.projects.policies.models import PolicyVersion
from apps.training.models import Run


class Outcome(models.TextChoices):
    PASS = "pass", gettext_lazy("Pass")
    FAIL = "fail", gettext_lazy("Fail")
    INCONCLUSIVE = "inconclusive", gettext_lazy("Inconclusive")


class GatePolicyVersion(PolicyVersion):
    """Which gates judge the models of a project (apps.rules.gates.policy)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gate_policies")

    class Meta(PolicyVersion.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="evaluation_gate_policy_once")]

    def __str__(self) -> str:
        return f"gate policy {self.number} of {self.project}"


class SensitiveColumns(models.Model):
    """Columns of a project's examples that say what group somebody belongs to, as a manager marked them."""

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="sensitive_columns", primary_key=True
    )
    columns = models.JSONField(default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"sensitive columns of {self.project}"


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
    gates = models.JSONField()  # [{"name", "type", "title", "blocking", "outcome", "reason", "details"}]
    gate_policy = models.ForeignKey(GatePolicyVersion, null=True, on_delete=models.SET_NULL, related_name="reports")
    overridden_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    overridden_at = models.DateTimeField(null=True)
    override_reason = models.CharField(max_length=400, blank=True)
    predictions_url = models.CharField(max_length=400, blank=True)  # Parquet of HoldoutPredictions

    class Meta:
        ordering = ["-id"]

    @property
    def overridden(self) -> bool:
        """Whether somebody let the model be released although gates did not pass; the verdict stays what it is."""
        return self.overridden_at is not None

    @property
    def closes(self) -> bool:
        """Whether the verdict keeps the model from its users."""
        return self.outcome == Outcome.FAIL and not self.overridden

    @property
    def deciding_gates(self) -> list[dict[str, Any]]:
        """Those that block; in reports of earlier releases all of them."""
        return [gate for gate in self.gates if gate.get("blocking", True)]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Of gates that only warn, those that do not pass."""
        return [g for g in self.gates if not g.get("blocking", True) and g["outcome"] != Outcome.PASS]

    def __str__(self) -> str:
        return f"report of {self.run}: {self.outcome}"


class LearningReport(models.Model):
    """What one run's model tells of the labeling: random against active, agreement with the model before, coverage.

    Points are [{"labels", "score", "low", "high"}] of linear probes on the vectors, the same learner for both lanes.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="learning")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="learning_reports")
    at = models.DateTimeField()
    seconds = models.FloatField()
    labels = models.PositiveIntegerField()  # that the run's model has learned from
    holdout_rows = models.PositiveIntegerField()  # that both curves were measured on
    base_labels = models.PositiveIntegerField(default=0)  # imported ones, which both curves start from
    random_points = models.JSONField(default=list)
    active_points = models.JSONField(default=list)
    lift = models.JSONField()  # apps.rules.lift.Lift
    agreement = models.JSONField()  # apps.rules.stopping.Agreement with the model before, on the stop set
    curve = models.JSONField()  # the last models on their common holdout rows: {"labels", "rows", "right": base64 bits}
    coverage = models.JSONField(default=list)  # [{"label", "active", "random", "other"}]

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="evaluation_learning_newest")]

    def __str__(self) -> str:
        return f"learning of {self.run}"


class FreshnessGap(models.Model):
    """A full run against the incremental line on the same holdout rows: what the shortcut costs, in points of accuracy.

    Positive: the full run is better. The interval is a paired bootstrap's at 95 %.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="freshness_gaps")
    full_run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="freshness_gap")
    incremental_run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    increments = models.PositiveSmallIntegerField()  # since the last full run
    holdout_rows = models.PositiveIntegerField()
    points = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    full_s = models.FloatField()  # device seconds of each
    incremental_s = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    @property
    def real(self) -> bool:
        """Whether full is surely better: the interval lies above 0."""
        return self.low > 0

    def __str__(self) -> str:
        return f"{self.full_run} against {self.incremental_run}: {self.points:+.1f} points"
