"""One ordering of a project's pool, and the parts that it was cut into where one task would take too long."""

from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project


class ScoringState(models.TextChoices):
    """open -> done | superseded | failed. Done in the same transaction that swaps the frontier, so it happens once."""

    OPEN = "open", gettext_lazy("Scoring")
    DONE = "done", gettext_lazy("Done")
    SUPERSEDED = "superseded", gettext_lazy("A newer one took over")
    FAILED = "failed", gettext_lazy("Failed")


class ScoringPass(models.Model):
    """What the pool is ordered by. The newest of a project wins; see apps.labeling.services.scoring."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scoring_passes")
    state = models.CharField(max_length=10, choices=ScoringState.choices, default=ScoringState.OPEN)
    run_number = models.PositiveIntegerField(null=True)  # None while no model is asked
    strategy = models.CharField(max_length=40)
    encoder = models.CharField(max_length=80, blank=True)
    seed = models.PositiveIntegerField(default=0)
    newest_example = models.BigIntegerField(default=0)  # with run and strategy: what makes two requests the same
    sentence = models.CharField(max_length=300, blank=True)
    seconds = models.JSONField(default=dict)  # by step
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["project", "requested_at"], condition=models.Q(state="open"), name="labeling_scoring_open"
            )
        ]

    def __str__(self) -> str:
        return f"scoring {self.pk} of {self.project}"


class ScoringPart(models.Model):
    """Some shards, or a range of ids, for one task. Done once its candidates lie in a file."""

    scoring = models.ForeignKey(ScoringPass, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    shards = models.JSONField(default=list)  # their numbers; empty where rows are read from the database
    first_id = models.BigIntegerField(default=0)
    last_id = models.BigIntegerField(default=0)
    url = models.CharField(max_length=400, blank=True)  # of the candidates
    scored = models.PositiveIntegerField(default=0)
    unusable = models.PositiveIntegerField(default=0)  # of them without a usable vector or probability
    seconds = models.FloatField(default=0)
    sent_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["scoring", "number"], name="labeling_scoring_part_once")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.scoring}"
