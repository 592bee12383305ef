"""Read what follows from an alarm."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils.translation import gettext

from apps.errors import NotFound
from apps.labeling.models import DriftExample
from apps.labeling.services.drift_lane import LaneCounts, drift_lane_counts
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.models import Mending, MendingLink, MendingStep, StepState
from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.projects.roles import Permission
from apps.releases.models import ModelVersion, Rollout
from apps.releases.selectors import champion_of
from apps.rules.mending import AlarmPolicy, shift_of
from apps.rules.monitors import MonitorCause
from apps.rules.sentences import parts_of
from apps.training.models import Run

NEEDED = {
    MendingLink.ROLLBACK: Permission.PROMOTE,
    MendingLink.LANE: Permission.ADD_EXAMPLES,
    MendingLink.RETRAIN: Permission.START_RUN,
}


@dataclass(frozen=True)
class FollowUp:
    """All links of an alarm that have something to say."""

    alert: Alert
    mending: Mending | None
    steps: Sequence[MendingStep]
    counts: LaneCounts
    policy: AlarmPolicy
    run: Run | None = None
    version: ModelVersion | None = None  # of its run
    rollout: Rollout | None = None  # of that version, the newest

    @property
    def shift(self) -> str:
        """The kind of shift that counts: the policy's, else what was found."""
        return str(self.policy.retrain.shift or (self.mending.shift if self.mending else ""))

    @property
    def shift_words(self) -> str:
        words = self.mending.shift_words if self.mending else ""
        return shift_of("", (), self.policy.retrain.shift, None).because if self.policy.retrain.shift else words

    @property
    def shift_parts(self) -> dict[str, Any]:
        return parts_of(self.shift_words) or (self.mending.shift_parts if self.mending else {})

    @property
    def proposed(self) -> list[str]:
        """Links that one click does."""
        return [s.link for s in self.steps if s.state == StepState.PROPOSED and s.link in NEEDED]


def follow_up_of(project: Project, alert_id: int) -> FollowUp:
    """Raises NotFound."""
    alert = Alert.objects.filter(project=project, pk=alert_id).select_related("check_row", "resolved_by").first()
    if alert is None:
        raise NotFound(gettext("There is no such alarm."))
    mending = Mending.objects.filter(pk=alert.pk).select_related("run").first()
    steps = list(MendingStep.objects.filter(mending=mending)) if mending else []
    order = list(MendingLink.values)
    run = mending.run if mending else None
    version = ModelVersion.objects.filter(run=run).first() if run else None
    return FollowUp(
        alert,
        mending,
        sorted(steps, key=lambda step: order.index(step.link)),
        drift_lane_counts(project, alert.pk),
        policy_in_force(ALARM_POLICY, project),
        run,
        version,
        Rollout.objects.filter(project=project, version=version).order_by("-pk").first() if version else None,
    )


@dataclass(frozen=True)
class AlarmProposal:
    """What an open alarm offers, for one click. `act` is empty where it is done on the alarm's page."""

    alert_id: int
    act: MendingLink | None = None


def proposal_for(project: Project, permissions: Collection[Permission]) -> AlarmProposal | None:
    """Of the oldest open alarm, or of the oldest that proposes what this person may do; None where none is open."""
    proposed = FilteredRelation("mending__steps", condition=Q(mending__steps__state=StepState.PROPOSED))
    rows = Alert.objects.filter(project=project, resolved_at=None).annotate(proposed=proposed)
    found = list(rows.order_by("pk").values_list("pk", "proposed__link"))
    acts = [(pk, link) for link in NEEDED for pk, named in found if named == link and NEEDED[link] in permissions]
    if acts:
        return AlarmProposal(*acts[0])
    return AlarmProposal(found[0][0]) if found else None


def alarms_open() -> "QuerySet[Alert]":
    """Of monitors, in projects that are in use, oldest first."""
    using = Alert.objects.filter(resolved_at=None, project__archived_at=None, project__deleting_since=None)
    return using.filter(kind__in=list(MonitorCause)).order_by("pk")


def lanes_left_open() -> "QuerySet[Alert]":
    """Resolved alarms whose lane still keeps labels out of training: somebody closed them by hand."""
    kept = DriftExample.objects.filter(released_at=None).values("alert_number")
    return Alert.objects.filter(pk__in=kept, resolved_at__isnull=False).select_related("project")


def model_alarmed(alert: Alert, champion: ModelVersion) -> int:
    """The number of the model that the alarm is about."""
    if alert.check_row is not None:
        return alert.check_row.model_number
    number = alert.readings.values_list("model_number", flat=True).first()
    return champion.number if number is None else number


def measured_against(mending: Mending) -> ModelVersion | None:
    """The model that is held against the one of the alarm: that of its run while it is newer than the champion, else a champion
    that was released since. What was gone back to is neither."""
    champion = champion_of(mending.project)
    own = (
        ModelVersion.objects.filter(run=mending.run_id).select_related("run", "report").first()
        if mending.run_id
        else None
    )
    if own is not None and (champion is None or own.number > champion.number) and not _given_up(mending, own):
        return own
    return champion if champion is not None and champion.number > mending.model_number else None


def _given_up(mending: Mending, version: ModelVersion) -> bool:
    """Whether it will not be released for this alarm."""
    ended = mending.steps.filter(link=MendingLink.RELEASE, state=StepState.NOTHING).exists()
    return ended or version.report.closes


def model_numbered(project: Project, number: int) -> ModelVersion | None:
    return (
        ModelVersion.objects.filter(project=project, number=number).select_related("run", "report", "project").first()
    )


def mending_given(mending_id: int) -> Mending | None:
    """None where its alert was deleted meanwhile."""
    return Mending.objects.filter(pk=mending_id).select_related("project", "alert", "run").first()
