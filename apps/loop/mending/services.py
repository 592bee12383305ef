"""Go on with what follows from alarms: every open one at each sweep, and one link where a person clicks."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import DomainError, NotFound
from apps.labeling.services.drift_lane import drift_lane_end
from apps.loop.mending.closing import closing_look
from apps.loop.mending.drift_lane import lane_do, lane_look
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.retrain import release_look, retrain_do, retrain_look
from apps.loop.mending.rollback import rollback_do, rollback_look
from apps.loop.mending.selectors import alarms_open, lanes_left_open, model_alarmed
from apps.loop.mending.steps import step_of
from apps.loop.models import Mending, MendingLink, StepState
from apps.monitoring.models import Alert
from apps.projects.access import refuse_archived
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.releases.selectors import champion_of
from apps.rules.mending import AlarmPolicy, LinkMode
from apps.work.alone import alone

DO = {MendingLink.ROLLBACK: rollback_do, MendingLink.LANE: lane_do, MendingLink.RETRAIN: retrain_do}


def alarms_mend(*, at: datetime) -> None:
    """Every open alarm goes as far as it can; one that breaks holds up no other. In the archive nothing moves."""
    for project_id, alert_id in alarms_open().values_list("project_id", "pk"):
        with alone("what follows from an alarm", alert_id):
            alarm_mend(project_id=project_id, alert_id=alert_id, at=at)
    for alert in lanes_left_open():
        with alone("the end of a lane", alert.pk):
            drift_lane_end(project=alert.project, alert_number=alert.pk, at=at)


@transaction.atomic
def alarm_mend(*, project_id: int, alert_id: int, at: datetime) -> None:
    """One alarm, whole or not at all. Whoever finds the project held leaves it to the next sweep."""
    held = (
        Project.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=project_id, archived_at=None).first()
    )
    mending = _mending(held, alert_id, at) if held is not None else None
    if mending is None:
        return
    policy = policy_in_force(ALARM_POLICY, mending.project)
    rollback_look(mending, policy, at)
    lane_look(mending, policy, at)
    retrain_look(mending, policy, at)
    release_look(mending, policy, at)
    closing_look(mending, at)


def _mending(project: Project, alert_id: int, at: datetime) -> Mending | None:
    """Of an alarm that is open, locked; None where somebody resolved it meanwhile, or no model serves."""
    open_one = Alert.objects.select_for_update(of=("self",), no_key=True).filter(
        project=project, pk=alert_id, resolved_at=None
    )
    alert, champion = open_one.select_related("check_row").first(), champion_of(project)
    if alert is None or champion is None:
        return None
    begun = {"project": project, "model_number": model_alarmed(alert, champion), "begun_at": at}
    Mending.objects.get_or_create(alert=alert, defaults=begun)
    locked = Mending.objects.select_for_update(of=("self",), no_key=True).select_related("run")
    mending = locked.get(pk=alert_id)
    mending.alert, mending.project = alert, project
    return mending


@transaction.atomic
def link_do(*, project: Project, alert_id: int, link: MendingLink, by: User, at: datetime) -> Mending:
    """One click in the alert. Raises NotFound, or DomainError where the link is off, is done, or cannot be by now."""
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    refuse_archived(held)
    if not Alert.objects.filter(project=project, pk=alert_id).exists():
        raise NotFound(gettext("There is no such alarm."))
    mending = _mending(held, alert_id, at)
    if mending is None:
        raise DomainError(gettext("This alarm is resolved, or no model serves: nothing follows from it any more."))
    policy = policy_in_force(ALARM_POLICY, project)
    if _mode(policy, link) is LinkMode.OFF:
        raise DomainError(gettext("The alarm policy of this project has switched that off."))
    step = step_of(mending, link)
    if step is not None and step.state == StepState.DONE and link != MendingLink.RETRAIN:
        raise DomainError(gettext("That was done already: {words}").format(words=step.words))
    DO[link](mending, policy, by=by, at=at)
    return mending


def _mode(policy: AlarmPolicy, link: MendingLink) -> LinkMode:
    return {
        MendingLink.ROLLBACK: policy.rollback.mode,
        MendingLink.LANE: policy.lane.mode,
        MendingLink.RETRAIN: policy.retrain.mode,
    }[link]
