"""The answers, and the labels they resolve to."""

# An answer of one label is the foreign key `label`; every other kind (labels, spans, boxes) is JSON in `value`, in the
# canonical form of apps.rules.answers. Never both.

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Example
from apps.labeling.models.quality import ErrorKind
from apps.labeling.models.queue import Assignment
from apps.projects.models import Project, SchemaLabel


class SkipReason(models.TextChoices):
    UNCLEAR = "unclear", gettext_lazy("Unclear, needs context")
    NO_LABEL = "no-label", gettext_lazy("No label fits")
    BROKEN = "broken", gettext_lazy("Broken or empty")
    LANGUAGE = "language", gettext_lazy("Not my language")
    OFFENSIVE = "offensive", gettext_lazy("Offensive")


class Annotation(models.Model):
    """One answer by one person, never overwritten: undo withdraws it and the next answer is a new row."""

    client_id = models.UUIDField(unique=True)  # made in the browser: the same answer sent twice is stored once
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="annotations", db_constraint=False, db_index=False
    )
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="annotations", db_constraint=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="annotations")
    annotator = models.ForeignKey(  # the assignment’s holder
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    label = models.ForeignKey(  # never deleted, only retired
        SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    value = models.JSONField(null=True)
    skip_reason = models.CharField(max_length=10, choices=SkipReason.choices, blank=True)
    comment = models.TextField(blank=True)
    flagged = models.BooleanField(default=False)  # somebody should look at this example
    error_kind = models.CharField(max_length=13, choices=ErrorKind.choices, blank=True)  # a reviewer's finding
    right = models.BooleanField(null=True)  # on gold: whether it is the known answer
    shown_at = models.DateTimeField()
    answered_at = models.DateTimeField()
    active_ms = models.PositiveIntegerField()
    surplus = models.BooleanField(default=False)  # came after somebody else had filled the slot
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(label__isnull=False, value__isnull=True, skip_reason="")
                | models.Q(label=None, value__isnull=False, skip_reason="")
                | (models.Q(label=None, value__isnull=True) & ~models.Q(skip_reason="")),
                name="labeling_answer_or_skip",
            )
        ]
        indexes = [
            models.Index(fields=["project", "annotator", "-id"], name="labeling_annotation_own"),
            models.Index(fields=["project", "-id"], condition=models.Q(flagged=True), name="labeling_annotation_flag"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator}: {self.label or self.skip_reason}"


class LabelSource(models.TextChoices):
    CONSENSUS = "consensus", gettext_lazy("Agreed by people")
    IMPORTED = "imported", gettext_lazy("Came with the example")
    DUPLICATE = "duplicate", gettext_lazy("Same as another example")
    REVIEW = "review", gettext_lazy("Decided by a reviewer")
    GOLD = "gold", gettext_lazy("Known beforehand")
    FEEDBACK = "feedback", gettext_lazy("Came back for an answer")


SENT_SOURCES = (LabelSource.IMPORTED, LabelSource.FEEDBACK)  # no answer of the desk: people's opinion comes on top


class Label(models.Model):
    """What an example is, as resolved. Shown and answered times are those of the answer that settled it."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="resolved_labels", db_constraint=False, db_index=False
    )
    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="label", primary_key=True)
    label = models.ForeignKey(  # never deleted, only retired
        SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    value = models.JSONField(null=True)
    confidence = models.FloatField(null=True)  # of the consensus, where its method gives one
    source = models.CharField(max_length=10, choices=LabelSource.choices)
    holdout = models.BooleanField()
    lane = models.CharField(max_length=8, blank=True)
    shown_at = models.DateTimeField()
    resolved_at = models.DateTimeField()
    first_run_number = models.PositiveIntegerField(null=True)  # the first completed run that trained on it
    served_at = models.DateTimeField(null=True)  # when a model that saw it first served

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(label__isnull=False, value__isnull=True) | models.Q(label=None, value__isnull=False),
                name="labeling_label_or_value",
            )
        ]
        indexes = [
            models.Index(fields=["project", "holdout", "resolved_at"], name="labeling_label_fresh"),
            models.Index(
                fields=["project", "resolved_at"], condition=models.Q(served_at=None), name="labeling_label_unserved"
            ),
            models.Index(  # a majority gives none, so most answers write nothing here
                fields=["project", "confidence"],
                condition=models.Q(confidence__isnull=False),
                name="labeling_label_sure",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.example} is {self.label}"


class SetAside(models.Model):
    """Taken out of the queue because two people skipped it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="set_aside", primary_key=True)
    reason = models.CharField(max_length=10, choices=SkipReason.choices)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.example} is set aside"
