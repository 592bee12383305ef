"""Which monitors look at a project, as versions; and what each of them read of each window."""

from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.projects.policies.models import PolicyVersion


class MonitorPolicyVersion(PolicyVersion):
    """Which monitors look at a project, and their budget (apps.rules.monitors.policy)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="monitor_policies")

    class Meta(PolicyVersion.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="monitoring_policy_once")]

    def __str__(self) -> str:
        return f"monitor policy {self.number} of {self.project}"


class ReadingOutcome(models.TextChoices):
    """What a monitor said of a window. Only `raised` speaks for drift; only `fine` against it."""

    FINE = "fine", gettext_lazy("As it was")
    RAISED = "raised", gettext_lazy("Drift")
    TOO_FEW = "too-few", gettext_lazy("Too few to tell")
    OFF = "off", gettext_lazy("Nothing to read")
    BROKEN = "broken", gettext_lazy("Broken")


class MonitorReading(models.Model):
    """One monitor on one window, judged once. `thresholds` are by the factor that its share of the budget is multiplied with."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="monitor_readings")
    monitor = models.CharField(max_length=60)  # its name in the policy
    type = models.CharField(max_length=60)
    policy_number = models.PositiveIntegerField()  # 0 where nobody set one
    model_number = models.PositiveIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    at = models.DateTimeField()
    n_window = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=ReadingOutcome.choices)
    score = models.FloatField(null=True)
    threshold = models.FloatField(null=True)
    thresholds = models.JSONField(default=dict)
    features = models.JSONField(
        default=list
    )  # [{"name", "value", "threshold", "score", "drifted", "reason", "words", "parts"}]
    cells = models.JSONField(
        default=list, db_default=[]
    )  # [name, score, drifted] of each feature: what is drawn over time
    sentence = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)  # of the sentence; apps/rules/sentences.py
    alert = models.ForeignKey(
        "monitoring.Alert", null=True, on_delete=models.SET_NULL, related_name="readings"
    )  # which it raised, or was seen again by

    class Meta:
        ordering = ["-until", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "monitor", "until", "policy_number"], name="monitoring_reading_once"
            )
        ]
        indexes = [models.Index(fields=["project", "monitor", "-until"], name="monitoring_reading_newest")]

    @property
    def told(self) -> bool:
        return self.outcome in (ReadingOutcome.FINE, ReadingOutcome.RAISED)

    def __str__(self) -> str:
        return self.sentence
