"""How a rollout goes on: the looks that are due, what follows from them, and every change of its row."""

from datetime import datetime, timedelta
from math import isfinite

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.arms import arms_seen, entities_seen, feedback_seen
from apps.monitoring.feedback.settings import feedback_settings_of
from apps.monitoring.services import alert_raise
from apps.projects.models import Project
from apps.releases.models import OPEN_PHASES, AnalysisLook, PauseCause, PromotionKind, Rollout, RolloutPhase
from apps.releases.replicas import rollout_refused
from apps.releases.rollouts.selectors import looks_begin, looks_of, maturity_of, plan_of
from apps.releases.services import champion_now, champion_set, rollout_stop
from apps.rules.rollouts.analysis import MetricJudgment, judge
from apps.rules.rollouts.metrics import METRICS, Figures, LookEvidence
from apps.rules.rollouts.policy import AnalysisStep, MetricSettings, RolloutPolicy, policy_of
from apps.rules.rollouts.progress import RolloutMove, looks_due, progress
from apps.rules.rollouts.ratio import mismatch
from apps.rules.sentences import sentence
from apps.work.alone import alone

ALERT = "rollout"  # the kind of alert that an abort raises
SETTLING = timedelta(seconds=3)  # until every predictor follows a new weight; answers of that time belong to no step


def rollouts_advance(*, at: datetime) -> None:
    """All that are under way, each alone: one that cannot be judged holds up no other. In the archive nothing moves."""
    going = Rollout.objects.filter(phase__in=OPEN_PHASES, project__archived_at=None)
    for rollout in going.select_related("project"):
        with alone("the rollout", rollout.project):
            rollout_advance(rollout_id=rollout.pk, at=at)


@transaction.atomic
def rollout_advance(*, rollout_id: int, at: datetime) -> Rollout:
    """Take the looks that are due and go as far as they allow. Idempotent: twice at one moment is once. A paused one takes none,
    but what predictors gave up or cannot load waits for nobody."""
    rollout = rollout_locked(rollout_id)
    if rollout.is_open and (refused := rollout_refused(rollout, at)):
        _abort(rollout, refused, at)
        return rollout
    if rollout.phase != RolloutPhase.PROGRESSING:
        return rollout
    policy = policy_of(rollout.policy)
    while True:
        judgments = _judged(rollout, policy, at)
        if judgments is None:  # the split is broken
            return rollout
        found = progress(policy, step=rollout.step, since=rollout.step_since, now=at, judgments=judgments)
        if found.move is RolloutMove.WAIT:
            return rollout
        if found.move is RolloutMove.NEXT:
            step_enter(rollout, policy, rollout.step + 1, at)
            continue
        if found.move is RolloutMove.PAUSE:
            waits = policy.steps[rollout.step].analysis is None
            pause_set(rollout, PauseCause.STEP if waits else PauseCause.INCONCLUSIVE, found.reason, None, at)
        elif found.move is RolloutMove.ABORT:
            _abort(rollout, found.reason, at)
        else:
            rollout_finish(rollout, None, at)
        return rollout


def rollout_locked(rollout_id: int) -> Rollout:
    """The project's row first, as everywhere."""
    project_id = Rollout.objects.values_list("project_id", flat=True).get(pk=rollout_id)
    Project.objects.select_for_update(no_key=True).get(pk=project_id)
    rows = Rollout.objects.select_for_update(of=("self",)).select_related("version__run", "stable", "project")
    return rows.get(pk=rollout_id)


def phase_refuse(rollout: Rollout, *phases: RolloutPhase) -> None:
    if rollout.phase not in phases:
        raise DomainError(
            gettext("The rollout of v{number} is “{phase}” by now. Nothing was changed; look again.").format(
                number=rollout.version.number, phase=rollout.get_phase_display()
            )
        )


def _judged(rollout: Rollout, policy: RolloutPolicy, at: datetime) -> dict[int, MetricJudgment] | None:
    """Of the step's analysis, with the looks that are due taken; None where the split stopped it."""
    analysis = policy.steps[rollout.step].analysis
    if analysis is None:
        return {}
    taken, maturity = looks_of(rollout, rollout.step), maturity_of(rollout)
    due = {
        place: looks_due(metric, since=looks_begin(rollout, metric, maturity), now=at) - len(taken.get(place, []))
        for place, metric in enumerate(analysis.metrics)
    }
    if any(more > 0 for more in due.values()):
        since = rollout.step_since + SETTLING
        if _split_is_broken(rollout, since, at):
            return None
        evidence = arms_seen(rollout=rollout.pk, since=since, until=at)
        for place, more in due.items():
            if more > 0:
                seen = with_feedback(evidence, rollout, analysis.metrics[place], since, at)
                _take(rollout, policy, analysis, place, more, taken.setdefault(place, []), seen, at)
    return {
        place: judge(plan_of(policy, metric), taken.get(place, [])) for place, metric in enumerate(analysis.metrics)
    }


def with_feedback(
    evidence: LookEvidence, rollout: Rollout, metric: MetricSettings, since: datetime, until: datetime
) -> LookEvidence:
    """The evidence with the mature feedback that this metric asks for; as it is for every other metric."""
    name = metric.feedback_name
    if not name:
        return evidence
    settings = feedback_settings_of(rollout.project)
    ripe = until - settings.maturity
    zero = name in settings.zero_names
    return feedback_seen(evidence, rollout=rollout.pk, name=name, since=since, until=ripe, silence_is_zero=zero)


def _split_is_broken(rollout: Rollout, since: datetime, at: datetime) -> bool:
    seen = entities_seen(rollout=rollout.pk, since=since, until=at)
    canary, stable = seen.get("canary", 0), seen.get("champion", 0)
    chance = mismatch(canary=canary, stable=stable, weight=rollout.weight)
    if chance is None:
        return False
    reason = sentence(
        "{canary:,} of {entities:,} entities met the canary where {weight:g} % were asked for; by chance that happens once in "
        "{times:,} times. Its figures cannot be compared.",
        canary=canary,
        entities=canary + stable,
        weight=rollout.weight,
        times=round(1 / max(chance, 1e-12)),
    )
    pause_set(rollout, PauseCause.SPLIT, reason, None, at)
    return True


def _take(
    rollout: Rollout,
    policy: RolloutPolicy,
    analysis: AnalysisStep,
    place: int,
    more: int,
    taken: list[Figures],
    evidence: LookEvidence,
    at: datetime,
) -> None:
    """The looks of one metric that are due. Where several were missed, the later ones saw nothing new and call nothing."""
    settings = analysis.metrics[place]
    figures = METRICS[settings.name].look(evidence, settings.limit)
    for _ in range(more):
        taken.append(figures)
        judgment = judge(plan_of(policy, settings), taken)
        bound = judgment.bounds[-1]
        AnalysisLook.objects.create(
            rollout=rollout,
            step=rollout.step,
            metric=place,
            name=settings.name,
            number=len(taken),
            at=at,
            canary=figures.canary,
            stable=figures.stable,
            samples=figures.samples,
            difference=figures.comparison.difference,
            variance=figures.comparison.variance,
            z=figures.comparison.z,
            information=figures.comparison.information,
            bound=bound if isfinite(bound) else None,
            phase=judgment.phase,
            sentence=judgment.reason[:400],
        )
    if more > 0:
        look_again(Topic.PROJECT.of(rollout.project_id), News.MODEL, rollout.version_id)


def step_enter(rollout: Rollout, policy: RolloutPolicy, step: int, at: datetime) -> None:
    """The step just left has done its work: a weight or a mirror is in force from here."""
    left = policy.steps[rollout.step]
    rollout.weight = left.set_weight if left.set_weight is not None else rollout.weight
    rollout.mirror = left.set_mirror_route.percentage if left.set_mirror_route else rollout.mirror
    rollout.step, rollout.step_since = step, at
    rollout.save()
    rollout_record(
        rollout,
        Verb.ROLLOUT_MOVED,
        sentence(
            "The rollout of v{version} reached step {step} of {steps}.",
            version=rollout.version.number,
            step=step + 1,
            steps=len(policy.steps),
        ),
        None,
        at,
        **where(rollout),
    )


def pause_set(rollout: Rollout, cause: PauseCause, reason: str, by: User | None, at: datetime) -> None:
    rollout.phase, rollout.pause = RolloutPhase.PAUSED, cause
    rollout.say(reason)
    rollout.save()
    rollout_record(
        rollout,
        Verb.ROLLOUT_PAUSED,
        sentence(
            "The rollout of v{version} waits for a person: {reason}", version=rollout.version.number, reason=reason
        ),
        by,
        at,
        **where(rollout),
    )


def _abort(rollout: Rollout, reason: str, at: datetime) -> None:
    rollout_stop(rollout=rollout, message=reason, by=None, at=at)
    title = sentence("The rollout of v{version} was aborted", version=rollout.version.number)
    alert_raise(project=rollout.project, kind=ALERT, title=title, detail=reason, check=None, at=at)


def rollout_finish(rollout: Rollout, by: User | None, at: datetime) -> None:
    champion = champion_now(rollout.project)
    author = by or rollout.by
    champion_set(rollout.project, rollout.version, champion, PromotionKind.PROMOTE, rollout.reason, author, at, rollout)


def where(rollout: Rollout) -> dict[str, int | float]:
    return {"step": rollout.step, "weight": rollout.weight}


def rollout_record(rollout: Rollout, verb: Verb, words: str, by: User | None, at: datetime, **facts: object) -> None:
    event_record(
        project_id=rollout.project_id,
        verb=verb,
        subject=f"rollout {rollout.pk}",
        by=by,
        at=at,
        sentence=words,
        after=facts,
    )
    look_again(Topic.PROJECT.of(rollout.project_id), News.MODEL, rollout.version_id)
