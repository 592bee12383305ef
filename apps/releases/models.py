"""Model versions, which of them is champion, and every promotion and rollback."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.evaluation.models import Report
from apps.projects.models import Project
from apps.training.models import Run
from apps.work.retries import Retried


class ModelVersion(models.Model):
    """One completed run with its report. Numbers count up within the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="model_versions")
    number = models.PositiveIntegerField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="model_version")
    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="model_version")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="releases_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"


class AliasName(models.TextChoices):
    CHAMPION = "champion", gettext_lazy("Champion")
    CANDIDATE = "candidate", gettext_lazy("Candidate")


class Alias(models.Model):
    """A name that points at one version. `champion` serves all traffic; `candidate` is the newest that did not fail."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=12, choices=AliasName.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="releases_alias_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.project}: {self.version}"


class PromotionKind(models.TextChoices):
    PROMOTE = "promote", gettext_lazy("Promoted")
    ROLL_BACK = "roll-back", gettext_lazy("Rolled back")


class Promotion(models.Model):
    """A change of champion: decided at `at`, serving at `serving_at` (told by the predictor)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="promotions")
    kind = models.CharField(max_length=10, choices=PromotionKind.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField()
    serving_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    @property
    def serves_after_s(self) -> float | None:
        return (self.serving_at - self.at).total_seconds() if self.serving_at else None

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class Mirrored(Retried):
    """What a tracking server has of one run: written again until it has all of it."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="mirrored")
    tracking_run = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, blank=True)  # of the run, as last mirrored
    step = models.PositiveIntegerField(default=0)  # of the newest point mirrored
    registry_version = models.CharField(max_length=16, blank=True)
    aliases = models.JSONField(default=list)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"mirror of {self.run}"
