"""Monitor to collect: look for drift, on demand and on schedule."""

import contextlib
import logging
from datetime import datetime

from django.utils.translation import gettext

from apps.errors import DomainError
from apps.evaluation.selectors import predictions_of
from apps.integrations.ports import Unavailable
from apps.loop.services.references import reference_of
from apps.monitoring.models import DriftCheck, Prediction
from apps.monitoring.monitors.looking import monitors_look
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.scoring import alarms_judge
from apps.monitoring.services import Reference, drift_check
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_newest
from apps.projects.selectors import projects_in_use
from apps.releases.models import AliasName
from apps.releases.selectors import champion_of
from apps.work.alone import alone

logger = logging.getLogger(__name__)


class NoChampion(DomainError):
    code = "no_champion"


class HoldoutUnreadable(DomainError):
    code = "holdout_unreadable"


def drift_check_now(*, project: Project, at: datetime, seed: int | None = None) -> DriftCheck:
    champion = champion_of(project)
    if champion is None:
        raise NoChampion(gettext("No model serves yet, so there is nothing that could drift. Promote one first."))
    try:
        said = predictions_of(champion.report)
    except Unavailable as cause:
        raise HoldoutUnreadable(
            gettext(
                "What v{number} said of its holdout cannot be read, so there is nothing to compare with: {cause}"
            ).format(number=champion.number, cause=cause)
        ) from cause
    reference = Reference(champion.report.label_names, said.predicted, said.confidence)
    return drift_check(
        project=project,
        model_number=champion.number,
        reference=reference,
        at=at,
        seed=_seed(at) if seed is None else seed,
        alarms=policy_newest(MONITOR_POLICY, project) is None,
    )


def drift_check_all(*, at: datetime) -> None:
    """The scheduled check: every project whose champion answered something since the last one; and its monitors' windows that
    ended, also where nobody asked any more. One project stops no other."""
    for project in projects_in_use().filter(aliases__name=AliasName.CHAMPION):
        with alone("the look for drift", project), contextlib.suppress(HoldoutUnreadable):
            if _has_news(project):
                drift_check_now(project=project, at=at)
        with alone("the monitors", project):
            if (champion := champion_of(project)) is not None:
                reference = reference_of(champion)
                monitors_look(project=project, reference=reference, at=at)
                alarms_judge(project=project, reference=reference, at=at)


def _has_news(project: Project) -> bool:
    last = DriftCheck.objects.filter(project=project).first()
    news = Prediction.objects.shown().filter(project=project)
    return (news.filter(at__gt=last.at) if last else news).exists()


def _seed(at: datetime) -> int:
    return int(at.timestamp()) % 2**31
