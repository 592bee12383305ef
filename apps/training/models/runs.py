"""Runs: what was trained, from what, by whom, how far it is; and the trigger that starts them by itself."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from apps.datasets.models import DatasetVersion
from apps.pages.numbers import fill
from apps.projects.models import Project
from apps.rules.sentences import Sentence, sentence, term
from apps.rules.words import count
from apps.work.leases import Attempted


class RunKind(models.TextChoices):
    """Online runs record what a learner that never stops has learned so far; a sweep's run trains its best trial."""

    INCREMENTAL = "incremental", gettext_lazy("Incremental")
    FULL = "full", gettext_lazy("Full")
    FINE_TUNE = "fine-tune", gettext_lazy("Fine-tune")
    ONLINE = "online", gettext_lazy("Online")
    SWEEP = "sweep", gettext_lazy("Sweep")


ASKED_KINDS = (RunKind.INCREMENTAL, RunKind.FULL, RunKind.FINE_TUNE)  # that a person, a trigger or a schedule starts


def asked_kinds() -> list[tuple[str, str]]:
    """As choices of a form or a serializer."""
    return [(kind.value, str(kind.label)) for kind in ASKED_KINDS]


class RunPriority(models.IntegerChoices):
    """Which queued run a free worker takes first; among equals the oldest."""

    HIGH = 1, gettext_lazy("High")
    NORMAL = 5, gettext_lazy("Normal")
    LOW = 9, gettext_lazy("Low")


class RunTrigger(models.TextChoices):
    """What started a run; its `trigger` says the same in words, with the numbers."""

    MANUAL = "manual", gettext_lazy("By a person")
    LABELS = "labels", gettext_lazy("By new labels")
    MINUTES = "minutes", gettext_lazy("By time")
    DISAGREEMENT = "disagreement", gettext_lazy("By disagreement")
    DRIFT = "drift", gettext_lazy("By drift")
    SCHEDULE = "schedule", gettext_lazy("By schedule")
    SWEEP = "sweep", gettext_lazy("By a sweep")
    ONLINE = "online", gettext_lazy("By online learning")
    REPRODUCED = "reproduced", gettext_lazy("To reproduce a run")
    SIMULATED = "simulated", gettext_lazy("Simulated")


class RunState(models.TextChoices):
    """queued -> running -> completed | failed | canceled; queued -> canceled. See MOVES."""

    QUEUED = "queued", gettext_lazy("Queued")
    RUNNING = "running", gettext_lazy("Training")
    COMPLETED = "completed", gettext_lazy("Completed")
    FAILED = "failed", gettext_lazy("Failed")
    CANCELED = "canceled", gettext_lazy("Canceled")


MOVES = {
    RunState.QUEUED: {RunState.RUNNING, RunState.CANCELED, RunState.FAILED},
    RunState.RUNNING: {RunState.RUNNING, RunState.COMPLETED, RunState.FAILED, RunState.CANCELED},
    RunState.COMPLETED: set(),
    RunState.FAILED: set(),
    RunState.CANCELED: set(),
}
OPEN_STATES = [RunState.QUEUED, RunState.RUNNING]


class Run(Attempted):
    """One training, which a worker owns by a lease while it runs."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=RunKind.choices)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    trigger = models.CharField(max_length=200)  # in words: why it started
    trigger_parts = models.JSONField(default=dict)  # of these words; apps/rules/sentences.py
    trigger_type = models.CharField(max_length=12, choices=RunTrigger.choices, default=RunTrigger.MANUAL)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    base_run = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    dataset_version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="runs")
    recipe = models.JSONField(default=dict)
    seed = models.PositiveBigIntegerField(default=0)
    code_version = models.CharField(max_length=40, blank=True)
    packages = models.JSONField(default=dict)  # name to version, of those that decide the weights
    priority = models.PositiveSmallIntegerField(choices=RunPriority.choices, default=RunPriority.NORMAL)
    fallback = models.CharField(max_length=200, blank=True)  # why an incremental run was made full
    reproduces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="reproductions")
    cloned_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="clones")
    name = models.CharField(max_length=80, blank=True)  # what people call it, beside its number
    note = models.TextField(blank=True)
    tags = models.JSONField(default=list)  # of strings, as `tags_of` keeps them

    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    step = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=0)
    seconds_left = models.FloatField(null=True)
    samples_per_s = models.FloatField(null=True)
    device = models.CharField(max_length=80, blank=True)
    phase = models.CharField(max_length=80, blank=True)

    labels = models.PositiveIntegerField(default=0)
    new_labels = models.PositiveIntegerField(default=0)
    label_names = models.JSONField(default=list)
    artifact_url = models.CharField(max_length=400, blank=True)
    checkpoint_url = models.CharField(max_length=400, blank=True)
    earlier_checkpoint_url = models.CharField(max_length=400, blank=True)  # read when the newest is damaged
    weights_digest = models.CharField(max_length=64, blank=True)  # of the model file
    devices = models.PositiveSmallIntegerField(default=1)  # that worked at the same time
    device_s = models.FloatField(default=0)  # seconds a device was held: over all attempts, devices and trials
    measured = models.JSONField(default=dict)  # a fine-tune: tokens_per_s, peak_memory_mb, peak_share, world_size
    comparison = models.JSONField(null=True)  # a reproduction against the run it repeats
    error = models.CharField(max_length=400, blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="training_run_number_once"),
            models.UniqueConstraint(
                fields=["project", "kind"],
                name="training_one_open_kind",
                condition=models.Q(state__in=["queued", "running"], reproduces=None),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "leased_until"], name="training_run_sweep"),
            models.Index(
                fields=["priority", "queued_at"], condition=models.Q(state="queued"), name="training_run_queue"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def priorities(self) -> list[tuple[int, str]]:
        """What a queued one may be given, for a form."""
        return [(choice.value, str(choice.label)) for choice in RunPriority]

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.step / self.steps_total)) if self.steps_total else 0

    @property
    def took_s(self) -> float | None:
        """Training alone, without the wait in the queue."""
        return (self.finished_at - self.started_at).total_seconds() if self.started_at and self.finished_at else None

    @property
    def queued_s(self) -> float | None:
        return (self.started_at - self.queued_at).total_seconds() if self.started_at else None

    @property
    def recipe_words(self) -> str:
        """The few settings of the recipe that a reader asks for."""
        shown = ("epochs", "batch_size", "learning_rate", "hidden", "replay_size")
        known = [name for name in shown if self.recipe.get(name) is not None]
        return ", ".join(f"{name.replace('_', ' ')} {self.recipe[name]}" for name in known)

    def __str__(self) -> str:
        return f"run {self.number}"


class RunPoint(models.Model):
    """One report of the training loop; losses are nats, accuracy is a share."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="points")
    step = models.PositiveIntegerField()
    epoch = models.FloatField()
    train_loss = models.FloatField()
    validation_loss = models.FloatField(null=True)
    holdout_loss = models.FloatField(null=True)
    holdout_accuracy = models.FloatField(null=True)
    learning_rate = models.FloatField(null=True)
    samples_per_s = models.FloatField(null=True)
    device_percent = models.FloatField(null=True)  # of the GPU, or of all cores
    memory_mb = models.FloatField(null=True)  # on the GPU, or resident
    at = models.DateTimeField()

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="training_point_once")]

    def __str__(self) -> str:
        return f"{self.run} step {self.step}"


class RunLine(models.Model):
    """One line of a run's log."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    text = models.CharField(max_length=400)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class Trigger(models.Model):
    """What starts a run by itself, once nobody has answered for `debounce_s`; a cause that is None is off."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="trigger", primary_key=True)
    enabled = models.BooleanField(default=True)
    new_labels = models.PositiveIntegerField(
        null=True, default=100, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    minutes = models.PositiveIntegerField(
        null=True, default=None, validators=[MinValueValidator(1), MaxValueValidator(525_600)]
    )
    disagreement_points = models.PositiveSmallIntegerField(
        null=True, default=None, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    debounce_s = models.PositiveIntegerField(default=20, validators=[MaxValueValidator(86_400)])
    kind = models.CharField(max_length=12, choices=RunKind.choices, default=RunKind.INCREMENTAL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(enabled=False)
                | models.Q(new_labels__isnull=False)
                | models.Q(minutes__isnull=False)
                | models.Q(disagreement_points__isnull=False),
                name="training_trigger_can_fire",
            )
        ]

    @property
    def causes(self) -> list[Sentence]:
        """What is on, each in a few words: at 100 new labels, every 60 min, ..."""
        found = []
        if self.new_labels is not None:
            found.append(sentence("at {labels}", labels=count(self.new_labels, "new label")))
        if self.minutes is not None:
            found.append(sentence("{minutes:,} min after the last", minutes=self.minutes))
        if self.disagreement_points is not None:
            points = count(self.disagreement_points, "point")
            found.append(sentence("when people contradict the model by {points} too much", points=points))
        return found

    @property
    def words(self) -> Sentence:
        """As a clause: a run starts by itself ..."""
        if not self.enabled:
            return term("never")
        first, *more = self.causes
        for cause in more:
            first = sentence("{one} or {other}", one=first, other=cause)
        return first

    @property
    def brief(self) -> str:
        """For a small place: the first cause alone."""
        if not self.enabled:
            return gettext("never")
        if self.new_labels is not None:
            return fill(gettext("at {n:,}"), n=self.new_labels)
        if self.minutes is not None:
            return fill(gettext("after {n:,} min"), n=self.minutes)
        return gettext("on disagreement")

    def __str__(self) -> str:
        return self.words
