"""What follows from an alarm, step by step; and the policy that says so."""

from django.db import models
from django.utils.translation import gettext_lazy

from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.projects.policies.models import PolicyVersion
from apps.training.models import Run


class AlarmPolicyVersion(PolicyVersion):
    """What an alarm of a project does (apps.rules.mending.policy)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="alarm_policies")

    class Meta(PolicyVersion.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="loop_alarm_policy_once")]

    def __str__(self) -> str:
        return f"alarm policy {self.number} of {self.project}"


class Mending(models.Model):
    """What follows from one alarm. `model_number` served when it was raised.

    `measured_number` is the newest model that was held against it on the labels that judge: of `judges`, `before` were right by
    the old one and `after` by the new one. `asked_at` is when a worker was last asked to measure. `shift` is the kind of shift that
    it was found to be, in words too; empty until somebody looked.
    """

    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, related_name="mending", primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="mendings")
    model_number = models.PositiveIntegerField()
    begun_at = models.DateTimeField()
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(null=True)
    measured_number = models.PositiveIntegerField(null=True)
    measured_at = models.DateTimeField(null=True)
    judges = models.PositiveIntegerField(default=0)
    before = models.PositiveIntegerField(default=0)
    after = models.PositiveIntegerField(default=0)
    shift = models.CharField(max_length=9, blank=True)
    shift_words = models.CharField(max_length=400, blank=True)
    shift_parts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"what follows from {self.alert}"


class RunShift(models.Model):
    """What a run that mends takes of the old labels: by which kind of shift, in which window. Of every run that an alarm started.

    `counts_url` is the file in which the worker kept how much each old label counts, so that a run that is taken over, or repeated
    later, counts the same although the log has forgotten the window.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="shift", primary_key=True)
    mending = models.ForeignKey(Mending, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=9)
    since = models.DateTimeField()
    until = models.DateTimeField()
    counts_url = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of {self.run}"


class MendingLink(models.TextChoices):
    """In the order in which they come."""

    ROLLBACK = "rollback", gettext_lazy("Roll back")
    LANE = "lane", gettext_lazy("Ask for labels")
    RETRAIN = "retrain", gettext_lazy("Train")
    RELEASE = "release", gettext_lazy("Release")
    CLOSING = "closing", gettext_lazy("Close the alarm")


class StepState(models.TextChoices):
    """proposed -> done or nothing, by a person or by itself; waiting until something outside comes."""

    PROPOSED = "proposed", gettext_lazy("Proposed")
    WAITING = "waiting", gettext_lazy("Waiting")
    DONE = "done", gettext_lazy("Done")
    NOTHING = "nothing", gettext_lazy("Nothing to do")


class MendingStep(models.Model):
    """One link of one alarm: where it stands, in words. What is done stays done: nothing happens twice."""

    mending = models.ForeignKey(Mending, on_delete=models.CASCADE, related_name="steps")
    link = models.CharField(max_length=8, choices=MendingLink.choices)
    state = models.CharField(max_length=8, choices=StepState.choices)
    words = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mending", "link"], name="loop_mending_step_once")]

    def __str__(self) -> str:
        return self.words
