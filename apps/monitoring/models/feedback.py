"""What came back for an answer: a label, a click, a rating, an amount; what could not be used; how a project wants it."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.rules.log_sample import LEAST_SHARE
from apps.work.leases import Attempted

MOST_MATURITY_H = 90 * 24.0
MOST_DAYS = 3650


class PayloadsKept(models.TextChoices):
    """Of which requests the log keeps what was asked about."""

    NONE = "none", gettext_lazy("Of none")
    SAMPLE = "sample", gettext_lazy("Of a sample")
    ALL = "all", gettext_lazy("Of all")


class FeedbackSettings(Attempted):
    """How a project reads feedback and what its log keeps. Made at the first edit; without a row the defaults count.

    The lease is that of the worker who makes examples of labels that came back.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="feedback_settings", primary_key=True
    )
    maturity_hours = models.FloatField(  # an answer is judged once it is older, when what comes back has come
        default=24.0, validators=[MinValueValidator(0), MaxValueValidator(MOST_MATURITY_H)]
    )
    zero_names = models.JSONField(default=list)  # numbers that are 0 where nothing came: a click that was not made
    payloads = models.CharField(max_length=6, choices=PayloadsKept.choices, default=PayloadsKept.NONE)
    sample_share = models.FloatField(default=0.1, validators=[MinValueValidator(0), MaxValueValidator(1)])
    payload_days = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    log_days = models.PositiveSmallIntegerField(  # of answers and feedback; None keeps them
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )

    answer_share = models.FloatField(  # of answers that the log keeps a row of; roll-ups count all
        default=1.0, db_default=1.0, validators=[MinValueValidator(LEAST_SHARE), MaxValueValidator(1)]
    )
    label_shares = models.JSONField(default=dict, db_default={})  # by label, where another share holds
    left_out = models.BigIntegerField(default=0, db_default=0)  # pieces of feedback whose answer the sample left out
    becomes_examples = models.BooleanField(default=False)  # labels that came back, of requests whose content was kept

    @property
    def samples(self) -> bool:
        """Whether the log has no row of some answers."""
        return self.answer_share < 1 or any(share < 1 for share in self.label_shares.values())

    @property
    def maturity(self) -> timedelta:
        return timedelta(hours=self.maturity_hours)

    @property
    def share_kept(self) -> float:
        """Of the requests, 0 to 1."""
        return {PayloadsKept.NONE: 0.0, PayloadsKept.ALL: 1.0}.get(PayloadsKept(self.payloads), self.sample_share)

    def __str__(self) -> str:
        return f"feedback of {self.project}"


class ReturnedAs(models.TextChoices):
    """What became of a label that came back; empty while it is not mature, or the project makes no examples of it."""

    EXAMPLE = "example", gettext_lazy("An example")
    UNASKED = "unasked", gettext_lazy("Nothing: what was asked was not kept")
    LEFT_OUT = "left-out", gettext_lazy("Nothing: it is labeled by people, refused, or in the holdout")


class Feedback(models.Model):
    """The newest that came back under one name for one row of one request. `worth` is what a metric counts.

    It waits while no answer of that id is logged (`answered_at` is empty); then it takes along what is known of the answer,
    so that it stays whole when the log forgets.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="feedback")
    inference_id = models.CharField(max_length=100)
    item = models.PositiveSmallIntegerField(default=0)
    item_said = models.BooleanField(default=False)
    name = models.CharField(max_length=60)
    label = models.CharField(max_length=80, blank=True)
    value = models.FloatField(null=True)
    at = models.DateTimeField()  # when it happened
    received_at = models.DateTimeField()  # the version that stands
    first_received_at = models.DateTimeField()
    corrections = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)  # while it waits
    answered_at = models.DateTimeField(null=True)
    model_number = models.PositiveIntegerField(null=True)
    arm = models.CharField(max_length=8, blank=True)
    rollout = models.BigIntegerField(null=True)
    entity = models.BigIntegerField(null=True)
    predicted = models.CharField(max_length=80, blank=True)
    returned = models.CharField(max_length=8, choices=ReturnedAs.choices, blank=True)
    worth = models.FloatField(null=True)  # 1 or 0 of a label, right or wrong; else the number
    share = models.FloatField(
        default=1.0, db_default=1.0
    )  # of such answers that the log keeps: a mean weighs by 1 / share

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "inference_id", "item", "name"], name="monitoring_feedback_once")
        ]
        indexes = [
            models.Index(fields=["project", "name", "answered_at"], name="monitoring_feedback_time"),
            models.Index(
                fields=["project", "next_try_at"],
                condition=models.Q(answered_at=None),
                name="monitoring_feedback_waits",
            ),
            models.Index(
                fields=["project", "answered_at"],
                condition=models.Q(name="label", returned="", answered_at__isnull=False),
                name="monitoring_feedback_due",
            ),
            models.Index(
                fields=["rollout", "name", "answered_at"],
                condition=models.Q(rollout__isnull=False),
                name="monitoring_feedback_rollout",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.inference_id}"


class FeedbackLetter(models.Model):
    """Feedback that could not be used, with the reason."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="feedback_letters")
    at = models.DateTimeField()
    inference_id = models.CharField(max_length=100, blank=True)
    row = models.JSONField()  # as it was sent, shortened where it is long
    reason = models.CharField(max_length=300)
    parts = models.JSONField(default=dict, db_default={})  # of the reason

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="monitoring_letter_newest")]

    def __str__(self) -> str:
        return self.reason
