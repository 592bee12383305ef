"""Read rollouts, their looks and the policy in force."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import NotFound
from apps.monitoring.feedback.settings import feedback_settings_of
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import AnalysisLook, Rollout
from apps.rules.rollouts.analysis import MetricJudgment, MetricPhase, MetricPlan, judge
from apps.rules.rollouts.metrics import METRICS, Figures, Harm
from apps.rules.rollouts.policy import AT_ONCE, MetricSettings, RolloutPolicy, policy_of
from apps.rules.rollouts.progress import looks_due
from apps.rules.rollouts.samples import ArmDifference

MOST_REPLAYABLE = 20  # offered for a replay


def rollouts_of(project: Project) -> QuerySet[Rollout]:
    """Newest first."""
    return Rollout.objects.filter(project=project).select_related("version", "stable", "by")


def open_rollout(project: Project) -> Rollout | None:
    return rollouts_of(project).filter(ended_at=None).first()


def rollout_in(project: Project, rollout_id: int) -> Rollout:
    rollout = rollouts_of(project).filter(pk=rollout_id).first()
    if rollout is None:
        raise NotFound(gettext("There is no such rollout in this project."))
    return rollout


def rollout_named(project: Project, said: str) -> Rollout:
    """By what a form sends."""
    return rollout_in(project, int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0)


def replayable(project: Project) -> list[Rollout]:
    """The newest that a champion stood beside for a while: their answers tell what another policy would have done."""
    found = rollouts_of(project).filter(stable__isnull=False).exclude(policy=AT_ONCE.written())
    return list(found[:MOST_REPLAYABLE])


def rollout_for(user: User, rollout_id: int, permission: Permission, *, changes: bool = False) -> Rollout:
    rollout = Rollout.objects.select_related("project", "version", "stable", "by").filter(pk=rollout_id).first()
    unseen = gettext("There is no such rollout.")
    if rollout is None:
        raise NotFound(unseen)
    project_for(user, rollout.project_id, permission, unseen=unseen, changes=changes)
    return rollout


def looks_of(rollout: Rollout, step: int) -> dict[int, list[Figures]]:
    """The looks of one step by metric, oldest first."""
    found: dict[int, list[Figures]] = defaultdict(list)
    for look in AnalysisLook.objects.filter(rollout=rollout, step=step).order_by("metric", "number"):
        found[look.metric].append(figures_of(look))
    return found


def figures_of(look: AnalysisLook) -> Figures:
    difference = ArmDifference(look.difference, look.variance, look.z, look.information)
    return Figures(look.canary, look.stable, look.samples, difference)


def maturity_of(rollout: Rollout) -> timedelta:
    """How old an answer is when its feedback counts; nothing is looked up where the policy wants none."""
    policy = policy_of(rollout.policy)
    wanted = any(m.feedback_name for step in policy.steps if step.analysis for m in step.analysis.metrics)
    return feedback_settings_of(rollout.project).maturity if wanted else timedelta(0)


def title_of(metric: MetricSettings) -> str:
    """Its own, and of feedback which; labels are the usual one."""
    title, name = METRICS[metric.name].title, metric.feedback_name
    return f"{title} “{name}”" if name and not metric.is_share else title


def looks_begin(rollout: Rollout, metric: MetricSettings, maturity: timedelta) -> datetime:
    """From when the looks of a metric are counted: feedback has to ripen first."""
    return rollout.step_since + (maturity if metric.feedback_name else timedelta(0))


def plan_of(policy: RolloutPolicy, metric: MetricSettings) -> MetricPlan:
    """How a metric of a policy is judged."""
    known = METRICS[metric.name]
    harm = Harm.HIGHER if known.harm is Harm.LOWER and not metric.higher_is_better else known.harm
    return MetricPlan(
        title=title_of(metric),
        is_share=metric.is_share,
        harm=Harm.EITHER if metric.two_sided else harm,
        test=metric.test,
        looks=metric.count,
        min_sample=metric.min_sample,
        alpha=policy.alpha_of(metric),
        tau=metric.tau,
        success_condition=metric.success_condition,
        failure_condition=metric.failure_condition,
        failure_limit=metric.failure_limit,
        inconclusive_limit=metric.inconclusive_limit,
    )


@dataclass(frozen=True)
class MetricWatch:
    """One metric of one step with its looks, as a page shows it. `place` is its number in the step, from 0."""

    step: int
    place: int
    settings: MetricSettings
    title: str
    looks: tuple[AnalysisLook, ...]
    judgment: MetricJudgment
    due: int

    @property
    def last(self) -> AnalysisLook | None:
        return self.looks[-1] if self.looks else None

    @property
    def ended(self) -> bool:
        return self.judgment.phase is not MetricPhase.RUNNING

    @property
    def bounds(self) -> tuple[float | None, ...]:
        return tuple(None if bound == inf else bound for bound in self.judgment.bounds)


def watches_of(rollout: Rollout, at: datetime) -> tuple[MetricWatch, ...]:
    """All metrics of all analyses that began, in the order of the policy."""
    policy, maturity = policy_of(rollout.policy), maturity_of(rollout)
    looks: dict[tuple[int, int], list[AnalysisLook]] = defaultdict(list)
    for look in AnalysisLook.objects.filter(rollout=rollout):
        looks[look.step, look.metric].append(look)
    found = list[MetricWatch]()
    for number, step in enumerate(policy.steps):
        for place, settings in enumerate(step.analysis.metrics if step.analysis else ()):
            taken = looks.get((number, place), [])
            if not taken and number != rollout.step:
                continue
            judgment = judge(plan_of(policy, settings), [figures_of(look) for look in taken])
            began = looks_begin(rollout, settings, maturity)
            due = looks_due(settings, since=began, now=at) if number == rollout.step else len(taken)
            found.append(MetricWatch(number, place, settings, title_of(settings), tuple(taken), judgment, due))
    return tuple(found)
