"""Start, move, pause and stop rollouts. The row says all: whoever looks next goes on from it, on any machine."""

from datetime import datetime
from secrets import token_hex

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.releases.models import AnalysisLook, ModelVersion, PauseCause, PromotionKind, Rollout, RolloutPhase
from apps.releases.registry.requests import SecondPersonNeeded, approved_one, second_person_refuse
from apps.releases.rollouts.moving import (
    pause_set,
    phase_refuse,
    rollout_advance,
    rollout_finish,
    rollout_locked,
    rollout_record,
    step_enter,
    where,
)
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.services import LEAST_REASON, champion_now, champion_set, release_refuse, rollout_stop
from apps.rules.rollouts.policy import AT_ONCE, policy_of
from apps.rules.sentences import sentence, term


@transaction.atomic
def release_start(
    *, version: ModelVersion, reason: str, by: User | None, at: datetime, approved: bool = False
) -> Rollout:
    """What the project's policy says. A first model serves at once, since nobody serves beside it.

    Raises GateClosed, AlreadyChampion, RolloutUnderWay, Invalid where a written reason is missing, or SecondPersonNeeded where
    the project wants one and nobody `approved`.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    version = ModelVersion.objects.select_related("report", "run").get(pk=version.pk)
    champion, policy = champion_now(project), policy_in_force(RELEASE_POLICY, project)
    back = goes_back(project, version, champion)
    if not approved and not back:
        second_person_refuse(project, version)
    if policy.while_one == "supersede":
        for other in Rollout.objects.filter(project=project, ended_at=None).exclude(version=version):
            rollout_stop(
                rollout=other, message=sentence("v{number} took its place.", number=version.number), by=by, at=at
            )
    release_refuse(project=project, version=version, champion=champion, reason=reason)
    if champion is None or policy == AT_ONCE or back:
        promotion = champion_set(project, version, champion, PromotionKind.PROMOTE, reason, by, at)
        return promotion.rollout
    rollout = Rollout.objects.create(
        project=project,
        version=version,
        stable=champion,
        policy=policy.written(),
        step_since=at,
        salt=token_hex(8),
        by=by,
        reason=reason.strip()[:400],
        started_at=at,
    )
    rollout_record(
        rollout,
        Verb.ROLLOUT_STARTED,
        sentence(
            "{by} released v{version}, {steps} steps.",
            by=by or term("System"),
            version=version.number,
            steps=len(policy.steps),
        ),
        by,
        at,
        version=version.number,
        reason=rollout.reason,
    )
    return rollout_advance(rollout_id=rollout.pk, at=at)


def goes_back(project: Project, version: ModelVersion, champion: ModelVersion | None) -> bool:
    """Going back to one that served lately skips the steps, and waits for nobody: its figures are known, and there is a reason
    to hurry."""
    if champion is None:
        return False
    policy = policy_in_force(RELEASE_POLICY, project)
    served = list(
        Rollout.objects.filter(project=project, phase=RolloutPhase.HEALTHY)
        .exclude(version=champion)
        .order_by("-id")
        .values_list("version_id", flat=True)[: policy.rollback_window]
    )
    return version.number < champion.number and version.pk in served


@transaction.atomic
def rollout_pause(*, rollout: Rollout, by: User, at: datetime) -> Rollout:
    """The weight stays as it is, and no look is taken until somebody goes on."""
    row = rollout_locked(rollout.pk)
    phase_refuse(row, RolloutPhase.PROGRESSING)
    pause_set(row, PauseCause.PERSON, sentence("{by} paused it.", by=by), by, at)
    return row


@transaction.atomic
def rollout_resume(*, rollout: Rollout, by: User, at: datetime) -> Rollout:
    """Go on: from where a person paused it, past the step that paused it, or with a fresh count where the split was broken."""
    row = rollout_locked(rollout.pk)
    phase_refuse(row, RolloutPhase.PAUSED)
    policy, cause = policy_of(row.policy), row.pause
    row.phase, row.pause = RolloutPhase.PROGRESSING, ""
    row.say("")
    if cause == PauseCause.SPLIT:
        AnalysisLook.objects.filter(rollout=row, step=row.step).delete()
        row.step_since = at
    row.save()
    words = sentence("{by} resumed the rollout of v{version}.", by=by, version=row.version.number)
    rollout_record(row, Verb.ROLLOUT_RESUMED, words, by, at, **where(row))
    if cause in (PauseCause.STEP, PauseCause.INCONCLUSIVE):
        step_enter(row, policy, row.step + 1, at)
    return rollout_advance(rollout_id=row.pk, at=at)


@transaction.atomic
def rollout_promote(*, rollout: Rollout, reason: str, by: User, at: datetime) -> Rollout:
    """All traffic now, whatever steps are left. Raises Invalid without a written reason: evidence is waived; SecondPersonNeeded
    for whoever asked for a release that a second person approved with its steps."""
    row = rollout_locked(rollout.pk)
    phase_refuse(row, *(RolloutPhase.PROGRESSING, RolloutPhase.PAUSED))
    if row.by_id == by.pk and approved_one(row):
        raise SecondPersonNeeded(
            gettext("You asked for this release, and steps were approved with it; somebody else skips them.")
        )
    if len(reason.strip()) < LEAST_REASON:
        raise Invalid(
            gettext("Say why the steps that are left can be skipped, in at least {least} characters.").format(
                least=LEAST_REASON
            ),
            field="reason",
        )
    row.reason = reason.strip()[:400]
    rollout_finish(row, by, at)
    return row


@transaction.atomic
def rollout_abort(*, rollout: Rollout, reason: str, by: User | None, at: datetime) -> Rollout:
    """Back to the champion alone, at once. A reason is welcome, but nobody is kept from pulling the brake."""
    row = rollout_locked(rollout.pk)
    phase_refuse(row, *(RolloutPhase.PROGRESSING, RolloutPhase.PAUSED))
    rollout_stop(
        rollout=row, message=reason.strip() or sentence("{by} aborted it.", by=by or term("System")), by=by, at=at
    )
    return row
