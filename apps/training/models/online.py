"""Online learning: one learner a project whose state is kept between updates, and its progressive loss."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.projects.models import Project
from apps.training.models.runs import Run
from apps.work.leases import Leased


class OnlineLearner(Leased):
    """Reads each label once, in the order they were resolved. `cursor` is the last one it has read."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="online_learner", primary_key=True)
    enabled = models.BooleanField(default=False)
    publish_every = models.PositiveIntegerField(  # examples between two candidates made of the state
        default=200, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    state_url = models.CharField(max_length=400, blank=True)
    label_names = models.JSONField(default=list)
    encoder = models.CharField(max_length=80, blank=True)
    examples = models.PositiveIntegerField(default=0)  # learned from since the start
    unpublished = models.PositiveIntegerField(default=0)
    loss_sum = models.FloatField(default=0)  # progressive: each example is predicted before it is learned, nats
    right = models.PositiveIntegerField(default=0)  # of them, predicted right beforehand
    cursor_at = models.DateTimeField(null=True)
    cursor_id = models.BigIntegerField(default=0)
    feedback_cursor = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)  # of learning alone
    error = models.CharField(max_length=400, blank=True)
    last_run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"online learner of {self.project}"


class OnlinePoint(models.Model):
    """After one update: how many examples, and their loss before they were learned."""

    learner = models.ForeignKey(OnlineLearner, on_delete=models.CASCADE, related_name="points")
    examples = models.PositiveIntegerField()  # in all
    learned = models.PositiveIntegerField()  # in this update
    loss = models.FloatField()  # of this update, nats
    accuracy = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["examples", "id"]

    def __str__(self) -> str:
        return f"{self.examples} examples"
