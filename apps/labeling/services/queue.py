"""The next examples for one person: leases, and lanes topped up where one has run dry."""

import time
from datetime import datetime

from apps.accounts.models import User
from apps.labeling.models import Assignment
from apps.labeling.services.assignments import Asked, assignments_next
from apps.labeling.services.frontier import CHANCE, frontier_refill
from apps.projects.models import Project

LEAST_WAIT_S = 1.0  # between two attempts to fill a lane that stays empty
WAIT_TIMES = 20  # of what the last attempt took: looking through a million labeled examples must not become the work

_again_at: dict[tuple[int, str], float] = {}  # (project, lane) -> monotonic seconds; of this process


def queue_next(
    *,
    project: Project,
    by: User,
    count: int,
    at: datetime,
    seed: int,
    may_review: bool = False,
    only: str = "",
    in_all: bool = False,
    asked: Asked | None = None,
) -> list[Assignment]:
    """As `assignments_next`; a lane of chance that is empty is filled first, so that its share is not given to others."""
    asked = asked or Asked()
    leased = assignments_next(
        project=project,
        by=by,
        count=count,
        at=at,
        seed=seed,
        may_review=may_review,
        only=only,
        in_all=in_all,
        asked=asked,
    )
    dry = {
        str(lane) for lane in CHANCE if lane in asked.dry and time.monotonic() >= _again_at.get((project.pk, lane), 0)
    }
    missing = count - len(leased) - len(asked.held) * in_all
    if not dry or (only and only not in dry):
        return leased
    if _filled(project, dry, at=at, seed=seed) and missing > 0:
        leased += assignments_next(
            project=project, by=by, count=missing, at=at, seed=seed + 1, may_review=may_review, only=only
        )
    return leased


def _filled(project: Project, dry: set[str], *, at: datetime, seed: int) -> int:
    began = time.monotonic()
    made = frontier_refill(project=project, at=at, seed=seed % 2**31, lanes=dry, wait=False)
    pause = 0.0 if made else max(LEAST_WAIT_S, WAIT_TIMES * (time.monotonic() - began))
    for lane in dry:
        _again_at[project.pk, lane] = time.monotonic() + pause
    return made
