"""Read notices: those that a person may see, how many are unread, one with its comments, and who may be given it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import NotFound
from apps.monitoring.models import Alert
from apps.notices.kinds import OF_MONITOR, NoticeKind, cause_of_alarm, kind_of, kinds_seen, title_of
from apps.notices.models import Notice, NoticeComment, NoticeLevel, NoticeTold
from apps.projects.access import may_now, project_for, projects_visible_to
from apps.projects.models import Membership, Project
from apps.projects.roles import GRANTS, Permission, Role

STATES = ("open", "snoozed", "resolved")
MOST_TOASTS = 3
TOASTED_BACK = timedelta(seconds=15)  # an entry is told of some seconds after it was written


@dataclass(frozen=True)
class NoticeFilter:
    """What a list shows; empty is all."""

    state: str = "open"
    severity: str = ""
    project: int | None = None
    mine: bool = False

    @property
    def narrowed(self) -> bool:
        return bool(self.severity or self.project or self.mine)


@dataclass(frozen=True)
class BellState:
    """What stands on the bell: how many unread ones, and whether an alarm is among them."""

    unread: int
    alarms: int


@dataclass(frozen=True)
class OpenedNotice:
    """One notice with all that its page shows."""

    notice: Notice
    kind: NoticeKind | None
    place: str
    comments: Sequence[NoticeComment]
    assignees: Sequence[User]
    may_act: bool


def notices_visible_to(user: User) -> QuerySet[Notice]:
    """Of all projects in use, what the person's role in each lets them see; newest first, with `unread` for this person."""
    unread = NoticeTold.objects.filter(notice=OuterRef("pk"), person=user, read_at=None)
    found = Notice.objects.filter(project__archived_at=None, project__deleting_since=None).filter(_seen_by(user))
    return (
        found.annotate(unread=Exists(unread))
        .select_related("project", "assigned_to", "resolved_by")
        .order_by("-last_seen_at", "-pk")
    )


def _seen_by(user: User) -> Q:
    """A kind for each role: whoever may not open what it leads to sees no notice of it."""
    if user.is_superuser:
        return Q()
    seen = Q(pk__in=[])
    for role in Role:
        own = Membership.objects.filter(user=user, role=role).values("project")
        seen |= Q(kind__in=kinds_seen(GRANTS[role]), project__in=own)
    return seen


def notices_listed(user: User, asked: NoticeFilter, at: datetime) -> QuerySet[Notice]:
    found = notices_visible_to(user)
    if asked.state in STATES:
        found = found.filter(_in_state(asked.state, at))
    if asked.severity:
        found = found.filter(severity=asked.severity)
    if asked.project is not None:
        found = found.filter(project=asked.project)
    return found.filter(assigned_to=user) if asked.mine else found


def _in_state(state: str, at: datetime) -> Q:
    if state == "resolved":
        return Q(resolved_at__isnull=False)
    snoozed = Q(snoozed_until__gt=at)
    return Q(resolved_at=None) & (snoozed if state == "snoozed" else ~snoozed | Q(snoozed_until=None))


def projects_to_choose(user: User) -> list[tuple[int, str]]:
    """For the filter: those that the person may open."""
    return list(projects_visible_to(user).order_by("name").values_list("pk", "name")[:200])


def told_unread(user: User, at: datetime) -> QuerySet[NoticeTold]:
    """What this person was told and has not opened, apart from what is put off or may not be seen any more."""
    seen = notices_visible_to(user).filter(Q(snoozed_until=None) | Q(snoozed_until__lte=at)).order_by()
    return NoticeTold.objects.filter(person=user, read_at=None, notice__in=seen.values("pk"))


def bell_of(user: User, at: datetime) -> BellState:
    """One query."""
    unread = list(told_unread(user, at).values_list("notice__severity", flat=True)[:1000])
    return BellState(len(unread), unread.count(NoticeLevel.ALARM))


def toasts_since(user: User, since: datetime, at: datetime) -> list[NoticeTold]:
    """Unread ones told since then, alarms first, then the newest; `since` is when the page was opened."""
    found = told_unread(user, at).filter(told_at__gt=since - TOASTED_BACK).select_related("notice__project")
    newest = list(found.order_by("-told_at", "-pk")[:20])
    return sorted(newest, key=lambda told: told.notice.severity != NoticeLevel.ALARM)


def notice_for(user: User, notice_id: int, *, acts: bool = False) -> Notice:
    """Raises NotFound for strangers, Forbidden with the role that is missing, ProjectArchived where it would be changed."""
    found = Notice.objects.filter(pk=notice_id).select_related("project", "assigned_to", "resolved_by").first()
    unseen = gettext("There is no such notice, or you are not a member of its project.")
    if found is None:
        raise NotFound(unseen)
    kind = kind_of(found.kind)
    project_for(user, found.project_id, kind.permission if kind else Permission.VIEW_MONITOR, unseen=unseen)
    if acts:
        project_for(user, found.project_id, Permission.RESOLVE_ALERT, unseen=unseen, changes=True)
    return found


def notice_of_alarm(project: Project, alert_id: int) -> int | None:
    """The id of the newest notice of one of a monitor's alarms; None where people were not told yet, or not any more. Raises
    NotFound for an alarm of another project."""
    if not Alert.objects.filter(project=project, pk=alert_id).exists():
        raise NotFound(gettext("There is no such alarm."))
    of_it = Notice.objects.filter(project=project, kind=OF_MONITOR, cause=cause_of_alarm(alert_id))
    return of_it.values_list("pk", flat=True).first()


def notice_opened(user: User, notice: Notice) -> OpenedNotice:
    kind = kind_of(notice.kind)
    may = may_now(user, notice.project)
    acting = Permission.RESOLVE_ALERT in may
    return OpenedNotice(
        notice,
        kind,
        kind.place(notice.project_id, notice.subject) if kind else "",
        list(notice.comments.select_related("by")),
        assignees_of(notice) if acting else [],
        acting,
    )


def assignees_of(notice: Notice) -> list[User]:
    """Members who may act on it, by name."""
    kind = kind_of(notice.kind)
    needed = {Permission.RESOLVE_ALERT} | ({kind.permission} if kind else set())
    roles = [role for role, granted in GRANTS.items() if needed <= granted]
    members = Membership.objects.filter(project=notice.project_id, role__in=roles, user__is_active=True)
    return [member.user for member in members.select_related("user").order_by("user__username")]


def titled(notices: Sequence[Notice]) -> list[tuple[Notice, Any]]:
    """Each with the words of its kind."""
    return [(notice, title_of(notice.kind)) for notice in notices]


def usernames_of(project: Project) -> list[tuple[str, str]]:
    """Members who are switched on: user name and name as shown."""
    members = Membership.objects.filter(project=project, user__is_active=True).select_related("user")
    return [(member.user.username, str(member.user)) for member in members.order_by("user__username")]
