"""What the page of all projects says of each, in a fixed number of queries however many there are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.labeling.models import Review, ReviewState
from apps.monitoring.monitors.standing import MonitorStanding, monitors_standing
from apps.projects import task_types
from apps.projects.access import projects_visible_to
from apps.projects.models import Membership, Project
from apps.projects.roles import GRANTS, Permission, Role
from apps.rules.clock import SHOWN
from apps.slas.models import DEFAULT_TARGET_HOURS, Lap, Target

WORST = "worst"
PAST_TARGET = 7 / 6  # the drawing ends so far beyond the target, as the ruler of the loop does
# When the label was collected that nine in ten of those not served yet are younger than: the open lap's age.
OPEN_LAPS = """
SELECT label.project_id, percentile_disc(%(shown)s) WITHIN GROUP (ORDER BY example.collected_at DESC)
FROM labeling_label AS label JOIN datasets_example AS example ON example.id = label.example_id
WHERE label.served_at IS NULL AND NOT label.holdout AND label.project_id = ANY(%(projects)s)
GROUP BY label.project_id
"""


@dataclass(frozen=True)
class Holding:
    """One project of a portfolio. A number is None where the person's role there does not show it."""

    project: Project
    at: datetime
    task_title: str
    role: str
    examples: int
    labeled: int
    target_s: float | None
    lap_age_s: float | None  # None too while no label waits to be served
    last_lap: Lap | None
    monitors: MonitorStanding | None
    reviews: int | None

    @property
    def alarms(self) -> int | None:
        """That are open."""
        return self.monitors.alarms if self.monitors else None

    @property
    def oldest_alarm_s(self) -> float | None:
        oldest = self.monitors.oldest_at if self.monitors else None
        return max((self.at - oldest).total_seconds(), 0.0) if oldest else None

    @property
    def labeled_percent(self) -> int:
        return round(100 * self.labeled / self.examples) if self.examples else 0

    @property
    def of_target(self) -> float:
        """Age of the open lap by its target."""
        return self.lap_age_s / self.target_s if self.lap_age_s and self.target_s else 0.0

    @property
    def is_late(self) -> bool:
        return self.of_target > 1

    @property
    def drawn(self) -> float:
        """The same as a share of the drawing, whose target line stands at `target_line`."""
        return self.of_target / PAST_TARGET

    @property
    def target_line(self) -> float:
        return 1 / PAST_TARGET

    @property
    def needs_somebody(self) -> bool:
        return self.is_late or bool(self.alarms) or bool(self.reviews)


@dataclass(frozen=True)
class Order:
    """A way to sort the projects."""

    name: str
    title: str | Promise
    key: Callable[[Holding], Any]


def _name(each: Holding) -> str:
    return each.project.name.casefold()


def _worst(each: Holding) -> tuple[Any, ...]:
    """What is past its target or rings comes first, then what is nearest to its target, then what waits."""
    broken = each.is_late + bool(each.alarms)
    return (-broken, -each.of_target, -(each.alarms or 0), -(each.reviews or 0), _name(each))


ORDERS = {
    o.name: o
    for o in (
        Order(WORST, gettext_lazy("Worst first"), _worst),
        Order("name", gettext_lazy("Name"), _name),
        Order("lap", gettext_lazy("Lap age"), lambda each: (-(each.lap_age_s or 0), _name(each))),
        Order("alarms", gettext_lazy("Alarms"), lambda each: (-(each.alarms or 0), _name(each))),
        Order("reviews", gettext_lazy("Reviews"), lambda each: (-(each.reviews or 0), _name(each))),
    )
}


@dataclass(frozen=True)
class Portfolio:
    holdings: tuple[Holding, ...]
    order: Order
    archived: bool = False
    others: int = 0  # projects on the other side: archived ones beside those in use, and the other way round

    @property
    def orders(self) -> Iterable[Order]:
        """Those that sort by something that is shown."""
        shown = {"lap": self.shows_laps, "alarms": self.shows_alarms, "reviews": self.shows_reviews}
        return [order for order in ORDERS.values() if shown.get(order.name, True)]

    @property
    def late(self) -> int:
        return sum(each.is_late for each in self.holdings)

    @property
    def alarms(self) -> int:
        return sum(each.alarms or 0 for each in self.holdings)

    @property
    def reviews(self) -> int:
        return sum(each.reviews or 0 for each in self.holdings)

    @property
    def shows_laps(self) -> bool:
        return any(each.target_s is not None for each in self.holdings)

    @property
    def shows_stand(self) -> bool:
        return not self.archived and (self.shows_laps or self.shows_alarms or self.shows_reviews)

    @property
    def shows_alarms(self) -> bool:
        return any(each.alarms is not None for each in self.holdings)

    @property
    def shows_reviews(self) -> bool:
        return any(each.reviews is not None for each in self.holdings)


def portfolio_of(user: User, at: datetime, sort: str, *, archived: bool = False) -> Portfolio:
    """The projects that a person may open, those in use or those in the archive.

    An unknown order is the usual one: the page is a bookmark of many.
    """
    order = ORDERS.get(sort, ORDERS[WORST])
    projects = list(projects_visible_to(user, archived=archived))
    roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
    facts = _facts([project.pk for project in projects], at)
    held = [_holding(project, Role(roles.get(project.pk, Role.ADMIN)), facts, at) for project in projects]
    others = projects_visible_to(user, archived=not archived).count()
    return Portfolio(tuple(sorted(held, key=order.key)), order, archived, others)


@dataclass(frozen=True)
class _Facts:
    """By project."""

    examples: dict[int, int]
    labeled: dict[int, int]
    collected: dict[int, datetime]
    targets: dict[int, float]
    laps: dict[int, Lap]
    monitors: dict[int, MonitorStanding]
    reviews: dict[int, int]
    titles: dict[str, str | Promise]


def _facts(ids: list[int], at: datetime) -> _Facts:
    mine = Project.objects.filter(pk__in=ids)
    of_mine = {"project_id__in": ids}
    newest = Lap.objects.filter(**of_mine).order_by("project_id", "-number").distinct("project_id")
    return _Facts(
        examples=dict(mine.annotate(n=Count("examples")).values_list("pk", "n")),
        labeled=dict(mine.annotate(n=Count("resolved_labels")).values_list("pk", "n")),
        collected=_collected(ids),
        targets=dict(Target.objects.filter(**of_mine).values_list("project_id", "hours")),
        laps={lap.project_id: lap for lap in newest},
        monitors=monitors_standing(ids, at),
        reviews=_counted(Review.objects.filter(state=ReviewState.OPEN, **of_mine)),
        titles=dict(task_types.choices()),
    )


def _collected(ids: list[int]) -> dict[int, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(OPEN_LAPS, {"shown": SHOWN, "projects": ids})
        return dict(cursor.fetchall())


def _counted(rows: Any) -> dict[int, int]:
    return dict(rows.order_by().values("project_id").annotate(n=Count("pk")).values_list("project_id", "n"))


def _holding(project: Project, role: Role, facts: _Facts, at: datetime) -> Holding:
    may, pk = GRANTS[role], project.pk
    sees_laps = Permission.VIEW_SLA in may and project.archived_at is None  # nobody serves what waits in the archive
    collected = facts.collected.get(pk) if sees_laps else None
    return Holding(
        project=project,
        at=at,
        task_title=str(facts.titles.get(project.task_type, project.task_type)),
        role=str(role.label),
        examples=facts.examples.get(pk, 0),
        labeled=facts.labeled.get(pk, 0),
        target_s=3600 * facts.targets.get(pk, DEFAULT_TARGET_HOURS) if sees_laps else None,
        lap_age_s=max((at - collected).total_seconds(), 0.0) if collected else None,
        last_lap=facts.laps.get(pk) if sees_laps else None,
        monitors=facts.monitors.get(pk, MonitorStanding()) if Permission.VIEW_MONITOR in may else None,
        reviews=facts.reviews.get(pk, 0) if Permission.VIEW_QUALITY in may else None,
    )
