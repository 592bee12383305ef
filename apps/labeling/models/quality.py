"""What stands around the answers: known answers, reviews, doubted labels, pauses, and guesses that came from outside."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Example
from apps.projects.models import Project, SchemaLabel


class ErrorKind(models.TextChoices):
    """Why the answers differed, as a reviewer sees it."""

    AMBIGUOUS = "ambiguous", gettext_lazy("Ambiguous: both can be defended")
    GUIDELINE_GAP = "guideline-gap", gettext_lazy("Guideline gap: the rules do not say")
    SLIP = "slip", gettext_lazy("Slip: somebody pressed the wrong key")
    EDGE_CASE = "edge-case", gettext_lazy("Edge case: rare, and hard")


class GoldItem(models.Model):
    """An example whose answer is known. Everybody is asked once; nobody's answer changes its label."""

    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="gold", primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_items")
    label = models.ForeignKey(SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+")
    value = models.JSONField(null=True)
    explanation = models.TextField(blank=True)  # shown after a wrong answer
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"gold {self.example}"


class Pause(models.Model):
    """A person who gets no examples of a project until somebody lifts it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="pauses")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=300)
    parts = models.JSONField(default=dict)  # of these words; apps/rules/sentences.py
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "person"], condition=models.Q(lifted_at=None), name="labeling_pause_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} is paused"


class ReviewState(models.TextChoices):
    """open -> decided by a reviewer, or closed because later answers settled it."""

    OPEN = "open", gettext_lazy("Open")
    DECIDED = "decided", gettext_lazy("Decided")
    CLOSED = "closed", gettext_lazy("Settled without a review")


class ReviewWhy(models.TextChoices):
    DISAGREEMENT = "disagreement", gettext_lazy("The answers disagree")
    FLAG = "flag", gettext_lazy("Somebody flagged it")
    RELABEL = "relabel", gettext_lazy("A second look disagrees with the label")


class Review(models.Model):
    """An example that a reviewer decides. One open review an example; the queue's review lane holds its slot."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reviews")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="reviews")
    state = models.CharField(max_length=8, choices=ReviewState.choices, default=ReviewState.OPEN)
    why = models.CharField(max_length=12, choices=ReviewWhy.choices)
    agreement = models.FloatField(null=True)  # of the votes when it opened
    opened_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    error_kind = models.CharField(max_length=13, choices=ErrorKind.choices, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["example"], condition=models.Q(state="open"), name="labeling_review_once")
        ]
        indexes = [models.Index(fields=["project", "state", "-opened_at"], name="labeling_review_list")]

    def __str__(self) -> str:
        return f"review of {self.example}"


class SuspectState(models.TextChoices):
    """open -> stands (a second look agrees) | corrected (the label changed) | moot (the label changed by itself)."""

    OPEN = "open", gettext_lazy("Not looked at")
    STANDS = "stands", gettext_lazy("The label stands")
    CORRECTED = "corrected", gettext_lazy("The label was wrong")
    MOOT = "moot", gettext_lazy("Overtaken")


class Suspect(models.Model):
    """A label that confident learning holds for wrong; the relabel lane asks somebody who has not answered it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="suspects")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="suspects")
    run_number = models.PositiveIntegerField()
    given = models.ForeignKey(SchemaLabel, on_delete=models.PROTECT, related_name="+")
    expected = models.ForeignKey(SchemaLabel, on_delete=models.PROTECT, related_name="+")
    quality = models.FloatField()  # 0 to 1, cleanlab's self-confidence of the given label: low is doubtful
    state = models.CharField(max_length=9, choices=SuspectState.choices, default=SuspectState.OPEN)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["quality"]
        constraints = [
            models.UniqueConstraint(fields=["example"], condition=models.Q(state="open"), name="labeling_suspect_once")
        ]
        indexes = [models.Index(fields=["project", "state", "quality"], name="labeling_suspect_list")]

    def __str__(self) -> str:
        return f"{self.example}: {self.given}?"


class ImportedPrediction(models.Model):
    """What a model outside the console said of an example: shown as a suggestion where ours says nothing."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imported_predictions")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="imported_predictions")
    model_version = models.CharField(max_length=80)
    label = models.ForeignKey(SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+")
    value = models.JSONField(null=True)
    confidence = models.FloatField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["example", "model_version"], name="labeling_prediction_once"),
            models.CheckConstraint(
                condition=models.Q(label__isnull=False, value__isnull=True) | models.Q(label=None, value__isnull=False),
                name="labeling_prediction_or_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_version} on {self.example}"


class ConsensusReport(models.Model):
    """How often each way of merging votes is right on gold; one row a project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="consensus_report", primary_key=True)
    method = models.CharField(max_length=12)  # the one in force
    gold_examples = models.PositiveIntegerField(default=0)
    majority_right = models.PositiveIntegerField(default=0)
    dawid_skene_right = models.PositiveIntegerField(default=0)
    sentence = models.CharField(max_length=400, blank=True)  # why this method, in words
    parts = models.JSONField(default=dict)  # of these words; apps/rules/sentences.py
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"consensus of {self.project}"
