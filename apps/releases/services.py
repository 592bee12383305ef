"""Register candidates, promote, roll back. One lock on the project's row makes a double click one promotion."""

import logging
from datetime import datetime
from secrets import token_hex

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.versions import version_rows
from apps.errors import DomainError, Invalid
from apps.evaluation.models import Outcome, Report
from apps.integrations.ports import Unavailable
from apps.labeling.services.labels import labels_trained
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.releases.models import Alias, AliasName, ModelVersion, Promotion, PromotionKind, Rollout, RolloutPhase
from apps.releases.registry.requests import requests_overtaken, second_person_refuse
from apps.releases.selectors import rolled_back_of
from apps.rules.rollouts.policy import AT_ONCE
from apps.rules.sentences import sentence, term
from apps.training.models import Run, RunKind

logger = logging.getLogger(__name__)
LEAST_REASON = 20  # characters; it is kept in the audit trail and read months later


class GateClosed(DomainError):
    code = "gate_closed"


class AlreadyChampion(DomainError):
    code = "already_champion"


class RolloutUnderWay(DomainError):
    code = "rollout_under_way"


class ReleasedBySteps(DomainError):
    code = "released_by_steps"


class NothingToRollBackTo(DomainError):
    code = "nothing_to_roll_back_to"


@transaction.atomic
def candidate_register(*, run: Run, report: Report, at: datetime) -> ModelVersion:
    """Number a judged run as a model version; it becomes `candidate` unless a gate failed. Idempotent on the run."""
    project = Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    have = ModelVersion.objects.filter(run=run).first()
    if have:
        return have
    last = ModelVersion.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    version = ModelVersion.objects.create(project=project, number=last + 1, run=run, report=report, created_at=at)
    if report.outcome != Outcome.FAIL:
        _point(project, AliasName.CANDIDATE, version, at)
    event_record(
        project_id=project.pk,
        verb=Verb.MODEL_REGISTERED,
        subject=f"model v{version.number}",
        by=None,
        at=at,
        sentence=sentence("Run {number} became model v{version}.", number=run.number, version=version.number),
        after={"outcome": report.outcome},
    )
    look_again(Topic.PROJECT.of(project.pk), News.MODEL, version.pk)
    return version


@transaction.atomic
def model_promote(*, version: ModelVersion, reason: str, by: User, at: datetime) -> Promotion:
    """Make a version the champion. Raises GateClosed for a failed one, Invalid where a written reason is missing: the
    verdict cannot tell, or somebody rolled this version back."""
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    version = ModelVersion.objects.select_related("report", "run").get(pk=version.pk)
    champion = champion_now(project)
    second_person_refuse(project, version)
    release_refuse(project=project, version=version, champion=champion, reason=reason)
    return champion_set(project, version, champion, PromotionKind.PROMOTE, reason, by, at)


def release_refuse(*, project: Project, version: ModelVersion, champion: ModelVersion | None, reason: str) -> None:
    """Raises what forbids that this version meets users now: the version itself, or that another is on its way."""
    version_refuse(project=project, version=version, champion=champion, reason=reason)
    under_way = Rollout.objects.filter(project=project, ended_at=None).select_related("version").first()
    if under_way:
        raise RolloutUnderWay(
            gettext("v{number} is on its way to users. Abort that rollout, or wait for its end.").format(
                number=under_way.version.number
            )
        )


def version_refuse(*, project: Project, version: ModelVersion, champion: ModelVersion | None, reason: str) -> None:
    """Raises why this version does not meet users: it does already, a gate failed, a reason is missing."""
    if champion and champion.pk == version.pk:
        raise AlreadyChampion(
            gettext("v{number} is champion already; nothing was changed.").format(number=version.number)
        )
    if version.report.closes:
        failed = [g["title"] for g in version.report.deciding_gates if g["outcome"] == Outcome.FAIL]
        raise GateClosed(
            gettext(
                "v{number} failed its gate “{verdict}” and cannot be promoted. The champion stays. Label "
                "more and train again, or let a manager override it on the report."
            ).format(number=version.number, verdict=gettext(failed[0]) if failed else "verdict")
        )
    unsure = version.report.outcome == Outcome.INCONCLUSIVE and not version.report.overridden
    if unsure and len(reason.strip()) < LEAST_REASON:
        raise Invalid(
            gettext(
                "The verdict on v{number} is inconclusive. Say why it should serve all the same, in at least "
                "{least_reason} characters; it is kept in the audit trail."
            ).format(number=version.number, least_reason=LEAST_REASON),
            field="reason",
        )
    back = rolled_back_of(project).get(version.pk)
    if back and len(reason.strip()) < LEAST_REASON:
        raise Invalid(
            gettext(
                "v{number} was rolled back: “{reason}”. Say what is different now, in at least {least_reason} "
                "characters; it is kept in the audit trail."
            ).format(number=version.number, reason=back.reason, least_reason=LEAST_REASON),
            field="reason",
        )


@transaction.atomic
def model_roll_back(
    *, project: Project, reason: str, expected_champion: int | None, by: User | None, at: datetime
) -> Promotion:
    """Give the crown back to whom the present champion replaced; `by` nobody where an alarm does it. `expected_champion` is
    what the person saw: a second click, or a click on an old page, is refused instead of rolling back once more. Raises Invalid
    without a reason."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    champion = champion_now(project)
    if champion is None:
        raise NothingToRollBackTo(gettext("No model serves yet, so there is nothing to roll back."))
    if expected_champion is not None and expected_champion != champion.number:
        raise DomainError(
            gettext("The champion is v{number} now, not v{expected_champion}. Nothing was changed; look again.").format(
                number=champion.number, expected_champion=expected_champion
            )
        )
    before = previous_champion(project)
    if before is None:
        raise NothingToRollBackTo(
            gettext("v{number} is the first champion; there is none before it.").format(number=champion.number)
        )
    if not reason.strip():
        raise Invalid(
            gettext("Say why v{number} is taken back; it stands beside the model from then on.").format(
                number=champion.number
            ),
            field="reason",
        )
    for under_way in Rollout.objects.filter(project=project, ended_at=None):
        rollout_stop(
            rollout=under_way,
            message=sentence("Rolled back to v{number}: {reason}", number=before.number, reason=reason.strip()),
            by=by,
            at=at,
        )
    return champion_set(project, before, champion, PromotionKind.ROLL_BACK, reason, by, at)


def previous_champion(project: Project) -> ModelVersion | None:
    """Whom the present champion replaced when it was last promoted (not rolled back to)."""
    champion = champion_now(project)
    promotion = Promotion.objects.filter(project=project, version=champion, kind=PromotionKind.PROMOTE).first()
    return promotion.replaced if promotion else None


def champion_set(
    project: Project,
    version: ModelVersion,
    champion: ModelVersion | None,
    kind: PromotionKind,
    reason: str,
    by: User | None,
    at: datetime,
    rollout: Rollout | None = None,
) -> Promotion:
    """The end of a rollout: all traffic. Without one it is a rollout of one step. The project's row is locked by then."""
    _point(project, AliasName.CHAMPION, version, at)
    back = kind == PromotionKind.ROLL_BACK  # what waits was asked for beside another champion
    requests_overtaken(project=project, by=by, at=at, only=None if back else version)
    if version.run.kind == RunKind.ONLINE:
        _seen_by(version.run)
    promotion = Promotion.objects.create(
        project=project, kind=kind, version=version, replaced=champion, by=by, reason=reason.strip()[:400], at=at
    )
    verb = Verb.MODEL_PROMOTED if kind == PromotionKind.PROMOTE else Verb.MODEL_ROLLED_BACK
    event_record(
        project_id=project.pk,
        verb=verb,
        subject=f"model v{version.number}",
        by=by,
        at=at,
        sentence=_changed(kind, version, champion, by),
        before={"champion": champion.number if champion else None},
        after={"champion": version.number, "reason": promotion.reason},
    )
    rollout = rollout or Rollout(
        project=project,
        version=version,
        stable=champion,
        policy=AT_ONCE.written(),
        salt=token_hex(8),
        by=by,
        reason=promotion.reason,
        started_at=at,
    )
    rollout.phase, rollout.weight, rollout.mirror, rollout.pause = RolloutPhase.HEALTHY, 100, 0, ""
    rollout.step_since, rollout.ended_at, rollout.promotion = at, at, promotion
    rollout.save()
    look_again(Topic.PROJECT.of(project.pk), News.MODEL, version.pk)
    return promotion


def rollout_stop(*, rollout: Rollout, message: str, by: User | None, at: datetime) -> None:
    """No entity meets the version from now on: the predictor sees the weight within a second. The row is locked by then."""
    rollout.phase, rollout.weight, rollout.mirror, rollout.pause = RolloutPhase.DEGRADED, 0, 0, ""
    rollout.ended_at = at
    rollout.say(message)
    rollout.save()
    event_record(
        project_id=rollout.project_id,
        verb=Verb.ROLLOUT_ABORTED,
        subject=f"rollout {rollout.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "The rollout of v{version} was aborted: {message}", version=rollout.version.number, message=message
        ),
        after={"step": rollout.step},
    )
    look_again(Topic.PROJECT.of(rollout.project_id), News.MODEL, rollout.version_id)


def _changed(kind: PromotionKind, version: ModelVersion, champion: ModelVersion | None, by: User | None) -> str:
    now, who = version.number, by or term("System")
    if kind != PromotionKind.PROMOTE and champion:
        return sentence("{by} rolled back to v{now}, was v{before}.", by=who, now=now, before=champion.number)
    if champion:
        return sentence("{by} promoted v{now}, was v{before}.", by=who, now=now, before=champion.number)
    return sentence("{by} promoted v{now}, the first champion.", by=who, now=now)


def _seen_by(run: Run) -> None:
    """A learner that never stops reads every label within a minute. Labels count as seen by it once it serves: before that,
    they would be missing to the trigger and to the incremental runs that start from the champion."""
    assert run.dataset_version is not None
    try:
        rows = version_rows(run.dataset_version)
    except (DomainError, Unavailable) as broken:  # they are new to the next run then, which is no harm
        logger.warning("The labels behind %s stay new: %s", run, broken)
        return
    seen = [(row.example_id, row.resolved_at) for row in rows if not row.holdout]
    labels_trained(project_id=run.project_id, seen=seen, run_number=run.number)


@transaction.atomic
def serving_confirm(*, promotion_id: int, at: datetime) -> bool:
    """The predictor says that it answers with this champion; True the first time."""
    first = Promotion.objects.filter(pk=promotion_id, serving_at=None).update(serving_at=at) > 0
    if first:
        promotion = Promotion.objects.select_related("version").get(pk=promotion_id)
        event_record(
            project_id=promotion.project_id,
            verb=Verb.MODEL_SERVING,
            subject=f"model v{promotion.version.number}",
            by=None,
            at=at,
            sentence=sentence("The predictor answers with v{number}.", number=promotion.version.number),
        )
        look_again(Topic.PROJECT.of(promotion.project_id), News.MODEL, promotion.version_id)
    return first


def champion_now(project: Project) -> ModelVersion | None:
    alias = Alias.objects.filter(project=project, name=AliasName.CHAMPION).select_related("version").first()
    return alias.version if alias else None


def _point(project: Project, name: AliasName, version: ModelVersion, at: datetime) -> None:
    Alias.objects.update_or_create(project=project, name=name, defaults={"version": version, "set_at": at})
