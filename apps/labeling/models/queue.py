"""The queue's frontier, and leases on it."""

# A row is written here at every answer, and each index and each foreign key that PostgreSQL checks is paid for then. A
# key is checked where its row would dangle, which is the chain label, annotation -> assignment -> example -> project;
# what that chain implies (`db_constraint=False`) is not checked again. An index that begins another one is not kept.

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.datasets.models import Example
from apps.projects.models import GuidelineVersion, Project


class Lane(models.TextChoices):
    ACTIVE = "active", gettext_lazy("Active")
    RANDOM = "random", gettext_lazy("Random")
    HOLDOUT = "holdout", gettext_lazy("Holdout")
    AUDIT = "audit", gettext_lazy("Audit")
    GOLD = "gold", gettext_lazy("Gold")  # the answer is known: asked of everybody, counts for nobody's label
    RELABEL = "relabel", gettext_lazy("Second look")  # a label that a model doubts
    REVIEW = "review", gettext_lazy("Review")  # the votes disagree; for those who may review
    DRIFT = "drift", gettext_lazy("Drift")
    BULK = "bulk", gettext_lazy("Bulk")  # given from a page of similar examples: never in the queue


QUEUED_LANES = tuple(lane for lane in Lane if lane != Lane.BULK)


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

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="+", db_index=False)
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

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="assignments", db_constraint=False, db_index=False
    )
    example = models.ForeignKey(Example, on_delete=models.CASCADE, related_name="assignments")
    slot = models.PositiveSmallIntegerField()
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
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
    guidelines = models.ForeignKey(
        GuidelineVersion, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False, db_index=False
    )

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
        indexes = [models.Index(fields=["project", "holder", "state"], name="labeling_assignment_holder")]

    def __str__(self) -> str:
        return f"{self.example} for {self.holder}"
