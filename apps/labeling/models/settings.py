"""How a project's queue runs, as its managers have set it: one row a project."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.labeling.models.queue import Lane
from apps.projects.models import Project
from apps.rules.acquisition import DEFAULT

# A random lane of 10 % gives the live lift. Audit, gold, relabel, review and drift are empty until something fills them;
# then one gold example in ten is at the middle of the usual 5 to 15 %.
LANE_WEIGHTS = {
    Lane.ACTIVE.value: 65,
    Lane.RANDOM.value: 10,
    Lane.HOLDOUT.value: 20,
    Lane.AUDIT.value: 5,
    Lane.GOLD.value: 10,
    Lane.RELABEL.value: 5,
    Lane.REVIEW.value: 10,
    Lane.DRIFT.value: 10,
}
BLIND_SHARE = 0.10  # suggestions anchor, so one example in ten shows none
PLANTED_SHARE = 0.10  # of gold examples: a wrong suggestion, to see who takes it
GOLD_FAILURES = 3  # in a row; CVAT's start


class ConsensusMethod(models.TextChoices):
    MAJORITY = "majority", gettext_lazy("Majority")
    DAWID_SKENE = "dawid-skene", gettext_lazy("Dawid-Skene")
    BEST = "best", gettext_lazy("Whichever is right more often on gold")


def default_strategy() -> str:
    """A function, so that a better default is no migration; projects that are there keep theirs."""
    return DEFAULT


def lane_weights() -> dict[str, int]:
    return dict(LANE_WEIGHTS)


class QueueSettings(models.Model):
    """Made with the project, so that `project.queue` is always there. Shares are 0 to 1."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="queue", primary_key=True)
    strategy = models.CharField(max_length=40, default=default_strategy)
    encoder = models.CharField(max_length=80, blank=True)  # of payloads into vectors; blank is the task type's default
    overlap = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(5)])
    lane_weights = models.JSONField(default=lane_weights)
    lane_overlap = models.JSONField(default=dict, blank=True)  # lane -> answers wanted there, where not `overlap`
    consensus = models.CharField(max_length=12, choices=ConsensusMethod.choices, default=ConsensusMethod.MAJORITY)
    review_at_most = models.FloatField(  # agreement of the votes at which somebody reviews: 0.5 is a tie of two
        default=0.5, validators=[MinValueValidator(0), MaxValueValidator(0.99)]
    )
    blind_share = models.FloatField(default=BLIND_SHARE, validators=[MinValueValidator(0), MaxValueValidator(1)])
    planted_share = models.FloatField(default=PLANTED_SHARE, validators=[MinValueValidator(0), MaxValueValidator(1)])
    gold_failures = models.PositiveSmallIntegerField(default=GOLD_FAILURES)  # in a row, then a pause; 0 never pauses
    gold_feedback = models.BooleanField(default=True)  # whether a wrong gold answer is told at once
    hourly_rate = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)  # of one annotator
    currency = models.CharField(max_length=3, default="EUR")
    settling_after = models.BigIntegerField(null=True)  # the last example that was settled again; None where none waits
    settling_left = models.PositiveIntegerField(default=0)
    settling_done = models.PositiveIntegerField(default=0)  # those that got a label
    settling_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"queue of {self.project}"

    def overlap_in(self, lane: str) -> int:
        """How many people answer each example of a lane."""
        return int(self.lane_overlap.get(lane, self.overlap))
