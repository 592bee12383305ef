"""Examples that an alarm asks about, made of logged requests of its drifted slice."""

from django.db import models

from apps.datasets.models import Example
from apps.projects.models import Project


class DriftExample(models.Model):
    """One example of the drift lane. An example is asked about for one alarm only.

    `judges`: the mended model is judged by its label. Until `released_at`, when the alarm is closed, nothing trains on that label,
    nor on that of another example which shows the same. `by_chance`: drawn so from the drifted part, not for the model's doubt.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="drift_examples")
    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="drift", primary_key=True)
    alert_number = models.PositiveBigIntegerField()  # the key of the alert, which stands above labeling
    judges = models.BooleanField()
    by_chance = models.BooleanField(default=False, db_default=False)
    asked_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "alert_number"], name="labeling_drift_of_alert"),
            models.Index(
                fields=["project"], condition=models.Q(judges=True, released_at=None), name="labeling_drift_kept_out"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.example}, of alarm {self.alert_number}"
