"""A project: what is labeled, with which labels, by whom, under which guidelines."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.roles import Role
from apps.rules.acquisition import DEFAULT

# A random lane of 10 % gives the live lift. Audit, gold, relabel, review and drift are empty until something fills them;
# then one gold example in ten is at the middle of the usual 5 to 15 %.
LANE_WEIGHTS = {
    "active": 65,
    "random": 10,
    "holdout": 20,
    "audit": 5,
    "gold": 10,
    "relabel": 5,
    "review": 10,
    "drift": 10,
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


class Project(models.Model):
    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    task_type = models.CharField(max_length=40)
    holdout_share = models.FloatField(default=0.05, validators=[MinValueValidator(0.01), MaxValueValidator(0.5)])
    holdout_salt = models.CharField(max_length=32)
    overlap = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(5)])
    strategy = models.CharField(max_length=40, default=default_strategy)
    encoder = models.CharField(max_length=80, blank=True)  # of payloads into vectors; blank is the task type's default
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
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SchemaLabel(models.Model):
    """One label of the schema. A label that has been given is never deleted, only retired."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=80)
    color = models.CharField(max_length=7)
    hotkey = models.CharField(max_length=1, blank=True)
    position = models.PositiveIntegerField()
    retired_at = models.DateTimeField(null=True)  # no longer offered; what was answered with it stays readable

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="projects_label_name_once"),
            models.UniqueConstraint(
                fields=["project", "hotkey"], condition=~models.Q(hotkey=""), name="projects_label_hotkey_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GuidelineVersion(models.Model):
    """Guidelines in Markdown. Each edit is a new version; an annotation remembers the one it was given under."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="projects_guideline_number_once")]

    def __str__(self) -> str:
        return f"{self.project} guidelines {self.number}"


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)

    class Meta:
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="projects_member_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.project}"
