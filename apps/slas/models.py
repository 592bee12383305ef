"""The promise and how it was kept: a data-to-deploy target for each project, and one row a lap of the loop."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project

DEFAULT_TARGET_HOURS = 72.0


class Stage(models.TextChoices):
    COLLECT = "collect", gettext_lazy("Collect")
    ANNOTATE = "annotate", gettext_lazy("Annotate")
    TRAIN = "train", gettext_lazy("Train")
    EVALUATE = "evaluate", gettext_lazy("Evaluate")
    DEPLOY = "deploy", gettext_lazy("Deploy")


class Target(models.Model):
    """Data to deploy within `hours`, for 9 in 10 labels."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="target", primary_key=True)
    hours = models.FloatField(
        default=DEFAULT_TARGET_HOURS, validators=[MinValueValidator(0.1), MaxValueValidator(8760)]
    )

    def __str__(self) -> str:
        return f"{self.project}: {self.hours:g} h"


class Lap(models.Model):
    """One turn of the loop: closed when a promoted model serves, for exactly the labels that this model saw first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="laps")
    number = models.PositiveIntegerField()
    promotion_id = models.BigIntegerField(unique=True)  # apps.releases stands above this app
    model_number = models.PositiveIntegerField()
    closed_at = models.DateTimeField()
    labels = models.PositiveIntegerField()
    median_s = models.FloatField()
    p90_s = models.FloatField()
    longest_s = models.FloatField()
    waiting_share = models.FloatField()
    target_s = models.FloatField()  # as it stood when the lap closed
    breached = models.BooleanField()
    cause = models.CharField(max_length=10, choices=Stage.choices, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="slas_lap_once")]

    def __str__(self) -> str:
        return f"lap {self.number} of {self.project}"


class StageTiming(models.Model):
    """Wait and work of one stage in one lap: of the label at the 90th percentile (these add up), and the medians."""

    lap = models.ForeignKey(Lap, on_delete=models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    position = models.PositiveSmallIntegerField()
    wait_s = models.FloatField()
    work_s = models.FloatField()
    median_wait_s = models.FloatField()
    median_work_s = models.FloatField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["lap", "stage"], name="slas_stage_once")]

    @property
    def total_s(self) -> float:
        return self.wait_s + self.work_s

    def __str__(self) -> str:
        return f"{self.lap}, {self.stage}"
