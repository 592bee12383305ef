"""The queue's frontier, leases on it, the answers, and the labels they resolve to."""

# An answer of one label is the foreign key `label`; every other kind (labels, spans, boxes) is JSON in `value`, in the
# canonical form of apps.rules.answers. Never both.

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Example
from apps.labeling.auto_models import AutoBatch as AutoBatch
from apps.labeling.auto_models import AutoBatchState as AutoBatchState
from apps.labeling.auto_models import AutoLabel as AutoLabel
from apps.labeling.auto_models import AutoLabeling as AutoLabeling
from apps.labeling.quality_models import ConsensusReport as ConsensusReport
from apps.labeling.quality_models import ErrorKind as ErrorKind
from apps.labeling.quality_models import GoldItem as GoldItem
from apps.labeling.quality_models import ImportedPrediction as ImportedPrediction
from apps.labeling.quality_models import Pause as Pause
from apps.labeling.quality_models import Review as Review
from apps.labeling.quality_models import ReviewState as ReviewState
from apps.labeling.quality_models import ReviewWhy as ReviewWhy
from apps.labeling.quality_models import Suspect as Suspect
from apps.labeling.quality_models import SuspectState as SuspectState
from apps.labeling.scoring_models import ScoringPart as ScoringPart
from apps.labeling.scoring_models import ScoringPass as ScoringPass
from apps.projects.models import GuidelineVersion, Project, SchemaLabel


class Lane(models.TextChoices):
    ACTIVE = "active", gettext_lazy("Active")
    RANDOM = "random", gettext_lazy("Random")
    HOLDOUT = "holdout", gettext_lazy("Holdout")
    AUDIT = "audit", gettext_lazy("Audit")
    GOLD = "gold", gettext_lazy("Gold")  # the answer is known: asked of everybody, counts for nobody's label
    RELABEL = "relabel", gettext_lazy("Relabel")  # a label that a model doubts
    REVIEW = "review", gettext_lazy("Review")  # the votes disagree; for those who may review
    DRIFT = "drift", gettext_lazy("Drift")
    BULK = "bulk", gettext_lazy("Bulk")  # given from a page of similar examples: never in the queue


QUEUED_LANES = tuple(lane for lane in Lane if lane != Lane.BULK)


class SkipReason(models.TextChoices):
    UNCLEAR = "unclear", gettext_lazy("Unclear, needs context")
    NO_LABEL = "no-label", gettext_lazy("No label fits")
    BROKEN = "broken", gettext_lazy("Broken or empty")
    LANGUAGE = "language", gettext_lazy("Not my language")
    OFFENSIVE = "offensive", gettext_lazy("Offensive")


class AssignmentState(models.TextChoices):
    """leased -> answered | skipped | expired; answered and skipped -> leased by undo; expired -> answered when late."""

    LEASED = "leased", gettext_lazy("Held")
    ANSWERED = "answered", gettext_lazy("Answered")
    SKIPPED = "skipped", gettext_lazy("Skipped")
    EXPIRED = "expired", gettext_lazy("Expired")


class Frontier(models.Model):
    """What the active lane was last filled from; one row a project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="frontier", primary_key=True)
    generation = models.PositiveIntegerField(default=0)
    strategy = models.CharField(
        max_length=40, blank=True
    )  # the one that chose: a cold start differs from the project's
    run_number = models.PositiveIntegerField(null=True)  # of the run whose model scored; None while no model is asked
    encoder = models.CharField(max_length=80, blank=True)
    pool_size = models.PositiveIntegerField(default=0)
    near_duplicates = models.PositiveIntegerField(
        default=0
    )  # passed over because something like them is labeled or waits
    unscored = models.PositiveIntegerField(default=0)  # rows without a usable vector or probability
    sentence = models.CharField(max_length=300, blank=True)  # why this strategy and not another
    seconds = models.JSONField(default=dict)  # by step
    scored_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"frontier {self.generation} of {self.project}"


class FrontierItem(models.Model):
    """One slot that waits for an answer. The lease time stands here so that SKIP LOCKED sees it change."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="+")
    slot = models.PositiveSmallIntegerField()
    lane = models.CharField(max_length=8, choices=Lane.choices)
    rank = models.PositiveIntegerField()
    reason = models.JSONField(default=dict)
    run_number = models.PositiveIntegerField(null=True)
    selection_probability = models.FloatField(null=True)
    queued_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["example", "slot"], name="labeling_frontier_slot_once")]
        indexes = [models.Index(fields=["project", "lane", "rank"], name="labeling_frontier_order")]

    def __str__(self) -> str:
        return f"{self.lane} {self.rank}"


class Assignment(models.Model):
    """A lease on one slot of one example, with a fencing token; what was shown stays with it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignments")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="assignments")
    slot = models.PositiveSmallIntegerField()
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=AssignmentState.choices, default=AssignmentState.LEASED)
    token = models.UUIDField()
    leased_at = models.DateTimeField()
    leased_until = models.DateTimeField()
    lane = models.CharField(max_length=8, choices=Lane.choices)
    rank = models.PositiveIntegerField()
    reason = models.JSONField(default=dict)
    suggestion = models.CharField(max_length=80, blank=True)
    suggested_value = models.JSONField(null=True)  # for kinds of answers that are more than one label
    suggestion_confidence = models.FloatField(null=True)
    suggestion_source = models.CharField(max_length=80, blank=True)  # the imported predictions' model; blank is our run
    planted = models.BooleanField(default=False)  # the suggestion is wrong on purpose, on a gold example
    run_number = models.PositiveIntegerField(null=True)
    selection_probability = models.FloatField(null=True)
    guidelines = models.ForeignKey(GuidelineVersion, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["example", "slot"],
                condition=models.Q(state__in=["leased", "answered"]),
                name="labeling_slot_once",
            ),
            models.UniqueConstraint(
                fields=["example", "holder"],
                condition=models.Q(state__in=["leased", "answered", "skipped"]),
                name="labeling_person_once_per_example",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "holder", "state"], name="labeling_assignment_holder"),
            models.Index(
                fields=["project", "leased_until"], condition=models.Q(state="leased"), name="labeling_assignment_lease"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.example} for {self.holder}"


class Annotation(models.Model):
    """One answer by one person, never overwritten: undo withdraws it and the next answer is a new row."""

    client_id = models.UUIDField(unique=True)  # made in the browser: the same answer sent twice is stored once
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="annotations")
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="annotations")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="annotations")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    label = models.ForeignKey(SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+")
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


class Label(models.Model):
    """What an example is, as resolved. Shown and answered times are those of the answer that settled it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="resolved_labels")
    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="label", primary_key=True)
    label = models.ForeignKey(SchemaLabel, null=True, on_delete=models.PROTECT, related_name="+")
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
