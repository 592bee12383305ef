"""Model versions, which of them is champion, the rollouts that bring one to its users, and every promotion and rollback."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.evaluation.models import Report
from apps.projects.models import Project
from apps.projects.policies.models import PolicyVersion
from apps.rules.aliases import MOST_ALIAS
from apps.rules.sentences import parts_of
from apps.training.models import Run
from apps.work.retries import Retried


class ModelVersion(models.Model):
    """One completed run with its report. Numbers count up within the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="model_versions")
    number = models.PositiveIntegerField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="model_version")
    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="model_version")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="releases_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"


class AliasName(models.TextChoices):
    CHAMPION = "champion", gettext_lazy("Champion")
    CANDIDATE = "candidate", gettext_lazy("Candidate")


class Alias(models.Model):
    """A name that points at one version. `champion` serves all traffic; `candidate` is the newest that did not fail; any other
    name (apps.rules.aliases) says what people mean by it, and changes no traffic."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=MOST_ALIAS)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    set_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="releases_alias_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.project}: {self.version}"


class PromotionKind(models.TextChoices):
    PROMOTE = "promote", gettext_lazy("Promoted")
    ROLL_BACK = "roll-back", gettext_lazy("Rolled back")


class Promotion(models.Model):
    """A change of champion: decided at `at`, serving at `serving_at` (told by the predictor)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="promotions")
    kind = models.CharField(max_length=10, choices=PromotionKind.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField()
    serving_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    @property
    def serves_after_s(self) -> float | None:
        return (self.serving_at - self.at).total_seconds() if self.serving_at else None

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class ReleasePolicy(PolicyVersion):
    """What a release of this project does, step by step (apps.rules.rollouts.policy)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="release_policies")

    class Meta(PolicyVersion.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="releases_policy_once")]

    def __str__(self) -> str:
        return f"release policy {self.number} of {self.project}"


class Approval(models.TextChoices):
    """Whom a release needs beside the one who asks for it."""

    NONE = "none", gettext_lazy("Nobody")
    SECOND_PERSON = "second-person", gettext_lazy("A second person")


class ReleaseRules(models.Model):
    """Who does what in the registry of a project: approval of releases, and for an alias the roles that may set it."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="release_rules", primary_key=True)
    approval = models.CharField(max_length=16, choices=Approval.choices, default=Approval.NONE)
    alias_roles = models.JSONField(default=dict)  # alias -> roles
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"release rules of {self.project}"


class RequestState(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waits")
    APPROVED = "approved", gettext_lazy("Approved")
    DECLINED = "declined", gettext_lazy("Declined")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")
    SUPERSEDED = "superseded", gettext_lazy("Superseded")  # another request, or another champion, came first
    EXPIRED = "expired", gettext_lazy("Expired")


class ReleaseRequest(models.Model):
    """Somebody asks to release a version; somebody else approves or declines. One waits at a time, and only so long."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="release_requests")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="release_requests")
    reason = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=RequestState.choices, default=RequestState.WAITING)
    answer = models.CharField(max_length=400, blank=True)  # of whoever decided
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    rollout = models.OneToOneField("Rollout", null=True, on_delete=models.SET_NULL, related_name="release_request")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state="waiting"), name="releases_one_waiting_request"
            )
        ]

    def __str__(self) -> str:
        return f"request to release {self.version}: {self.state}"


class RolloutPhase(models.TextChoices):
    """Argo Rollouts' words."""

    PROGRESSING = "Progressing", gettext_lazy("Progressing")
    PAUSED = "Paused", gettext_lazy("Paused")
    HEALTHY = "Healthy", gettext_lazy("Serves everybody")
    DEGRADED = "Degraded", gettext_lazy("Aborted")


OPEN_PHASES = (RolloutPhase.PROGRESSING, RolloutPhase.PAUSED)
ROLLOUT_MOVES: dict[str, tuple[RolloutPhase, ...]] = {
    RolloutPhase.PROGRESSING: (RolloutPhase.PAUSED, RolloutPhase.HEALTHY, RolloutPhase.DEGRADED),
    RolloutPhase.PAUSED: (RolloutPhase.PROGRESSING, RolloutPhase.HEALTHY, RolloutPhase.DEGRADED),
    RolloutPhase.HEALTHY: (),
    RolloutPhase.DEGRADED: (),
}


class PauseCause(models.TextChoices):
    """Why a paused rollout waits for a person."""

    STEP = "step", gettext_lazy("The policy pauses here")
    INCONCLUSIVE = "inconclusive", gettext_lazy("The analysis cannot tell")
    SPLIT = "split", gettext_lazy("The split is not the one asked for")
    PERSON = "person", gettext_lazy("Somebody paused it")


class Rollout(models.Model):
    """The way of a version to its users. The policy is a copy: an edit meanwhile changes nothing that is under way.

    `weight` is the percentage of entities that meet the version now, `mirror` that of the champion's requests which it answers
    unseen. Whoever looks at the row next goes on from it, so no worker owns it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rollouts")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="rollouts")
    stable = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    policy = models.JSONField()
    phase = models.CharField(max_length=12, choices=RolloutPhase.choices, default=RolloutPhase.PROGRESSING)
    step = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField()
    weight = models.FloatField(default=0)
    mirror = models.FloatField(default=0)
    salt = models.CharField(max_length=32)
    pause = models.CharField(max_length=12, choices=PauseCause.choices, blank=True)
    message = models.CharField(max_length=400, blank=True)  # why it waits, or ended so
    message_parts = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    promotion = models.OneToOneField(Promotion, null=True, on_delete=models.SET_NULL, related_name="rollout")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(ended_at=None), name="releases_one_open_rollout"
            )
        ]

    @property
    def is_open(self) -> bool:
        return self.phase in OPEN_PHASES

    def say(self, words: str) -> None:
        """Why it waits, or ended so; kept with its parts for readers of another language."""
        self.message, self.message_parts = words[:400], parts_of(words)

    def __str__(self) -> str:
        return f"rollout of {self.version}: {self.phase}"


class AnalysisLook(models.Model):
    """What one metric showed at one look of a rollout. `bound` is the z value at which it would have failed, None for none."""

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="looks")
    step = models.PositiveSmallIntegerField()
    metric = models.PositiveSmallIntegerField()  # its place in the step
    name = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    canary = models.FloatField(null=True)
    stable = models.FloatField(null=True)
    samples = models.PositiveIntegerField()
    difference = models.FloatField()
    variance = models.FloatField()
    z = models.FloatField()
    information = models.FloatField()
    bound = models.FloatField(null=True)
    phase = models.CharField(max_length=12)
    sentence = models.CharField(max_length=400)

    class Meta:
        ordering = ["step", "metric", "number"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "step", "metric", "number"], name="releases_look_once")
        ]

    def __str__(self) -> str:
        return self.sentence


class Replica(models.Model):
    """One predictor process, by host and port: when it was seen last, and what it said then (apps.releases.replicas)."""

    name = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Mirrored(Retried):
    """What a tracking server has of one run: written again until it has all of it."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="mirrored")
    tracking_run = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, blank=True)  # of the run, as last mirrored
    step = models.PositiveIntegerField(default=0)  # of the newest point mirrored
    registry_version = models.CharField(max_length=16, blank=True)
    aliases = models.JSONField(default=list)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"mirror of {self.run}"
